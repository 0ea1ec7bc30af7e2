import type { FinishedCall } from '../audit/event.ts';
import { assert } from '../base/assert.ts';
import type { ProviderName } from '../policy/provider.ts';
import type { ReasonCode } from '../policy/reasons.ts';
import type { Budget, Gateway, GatewayUsage } from '../policy/table.ts';
import type { TokenUsage } from '../policy/usage-reader.ts';

/** Bytes that count as one token where nobody states tokens; four characters are the usual rule of thumb. */
const BYTES_PER_TOKEN = 4;

/** From here on an answer says that there was none; no provider charges for it. */
const FIRST_ERROR_STATUS = 400;

/** One request on its way through a gateway. */
export interface ModelCall {
  /** Bytes went to the API. */
  sent(bytes: number): void;
  /** Bytes came from it. */
  received(bytes: number): void;
  /** It is over; `status` is 0 when there was no answer. Only the first time counts. */
  finish(status: number, tokens: TokenUsage | null): void;
}

/**
 * Counts what an agent uses of each gateway, and says when its budget is spent. A call that states no tokens costs a
 * quarter of its bytes, which count while it is on its way, and for good if nobody ever says how it ended. What a model
 * answers is not known before: calls that are on their way when the budget is spent go on, and are all that can be
 * used beyond it.
 */
export class ModelMeter {
  readonly #onFinished: (call: FinishedCall) => void;
  /** By mount, in the order of the table; one that is no longer in it keeps what it has used. */
  #usage: Map<string, Running> = new Map();
  #mounts: readonly string[] = [];
  #budget: Budget = { requests: null, tokens: null };

  /** `before` is what was used until now, `onFinished` is told of each call that ends. */
  constructor(before: readonly GatewayUsage[], onFinished: (call: FinishedCall) => void) {
    this.#onFinished = onFinished;
    for (const usage of before) this.#usage.set(usage.mount, { ...usage });
  }

  /** Other gateways and another budget; what was used stays used. */
  replace(gateways: readonly Pick<Gateway, 'mount' | 'provider'>[], budget: Budget): void {
    for (const { mount, provider } of gateways) {
      if (!this.#usage.has(mount)) this.#usage.set(mount, unused(mount, provider));
    }
    this.#mounts = gateways.map(({ mount }) => mount);
    this.#budget = budget;
  }

  /** Why a request must not go on: the budget is spent, and it would call a model. */
  admit(mount: string, method: string): ReasonCode | null {
    const { requests, tokens } = this.#budget;
    if (!isModelCall(this.#of(mount).provider, method)) return null;
    const { modelCalls, tokensSpent } = this.spent;
    const isSpent = (requests !== null && modelCalls >= requests) || (tokens !== null && tokensSpent >= tokens);
    return isSpent ? 'egress.budget' : null;
  }

  /** A request is passed on: to be called as soon as it is admitted, before anything is waited for. */
  begin(mount: string, method: string = 'POST'): ModelCall {
    const usage = this.#of(mount);
    const isCharged = isModelCall(usage.provider, method);
    usage.requests += 1;
    if (isCharged) usage.modelCalls += 1;
    return new RunningCall(usage, isCharged, this.#onFinished);
  }

  /** What was used of each gateway so far, in the order of the table. */
  get usage(): readonly GatewayUsage[] {
    return this.#mounts.map((mount) => ({ ...this.#of(mount) }));
  }

  /** What counts against the budget so far. */
  get spent(): { readonly modelCalls: number; readonly tokensSpent: number } {
    let modelCalls = 0;
    let tokensSpent = 0;
    for (const usage of this.#usage.values()) {
      modelCalls += usage.modelCalls;
      tokensSpent += usage.inputTokens + usage.outputTokens + usage.estimatedTokens;
    }
    return { modelCalls, tokensSpent };
  }

  #of(mount: string): Running {
    const usage = this.#usage.get(mount);
    assert(usage !== undefined, 'calls go through gateways of the table');
    return usage;
  }
}

/** Counters of one gateway. */
type Running = { -readonly [Name in keyof GatewayUsage]: GatewayUsage[Name] };

class RunningCall implements ModelCall {
  readonly #usage: Running;
  readonly #isCharged: boolean;
  readonly #onFinished: (call: FinishedCall) => void;
  #bytesSent = 0;
  #bytesReceived = 0;
  #estimated = 0;
  #isOver = false;

  constructor(usage: Running, isCharged: boolean, onFinished: (call: FinishedCall) => void) {
    this.#usage = usage;
    this.#isCharged = isCharged;
    this.#onFinished = onFinished;
  }

  sent(bytes: number): void {
    this.#bytesSent += bytes;
    this.#usage.bytesSent += bytes;
    this.#estimate();
  }

  received(bytes: number): void {
    this.#bytesReceived += bytes;
    this.#usage.bytesReceived += bytes;
    this.#estimate();
  }

  finish(status: number, tokens: TokenUsage | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const stated = this.#isCharged ? tokens : null;
    if (stated !== null || status >= FIRST_ERROR_STATUS) this.#charge(0);
    const { inputTokens, outputTokens } = stated ?? { inputTokens: 0, outputTokens: 0 };
    this.#usage.inputTokens += inputTokens;
    this.#usage.outputTokens += outputTokens;
    this.#onFinished({
      mount: this.#usage.mount,
      provider: this.#usage.provider,
      status,
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
      inputTokens,
      outputTokens,
      estimatedTokens: this.#estimated,
      totals: { ...this.#usage },
    });
  }

  #estimate(): void {
    if (!this.#isCharged || this.#isOver) return;
    this.#charge(Math.ceil((this.#bytesSent + this.#bytesReceived) / BYTES_PER_TOKEN));
  }

  #charge(tokens: number): void {
    this.#usage.estimatedTokens += tokens - this.#estimated;
    this.#estimated = tokens;
  }
}

/** What a budget is about: git has no models, and what is only read costs nothing. */
function isModelCall(provider: ProviderName, method: string): boolean {
  return provider !== 'git' && method === 'POST';
}

function unused(mount: string, provider: ProviderName): Running {
  return {
    mount,
    provider,
    requests: 0,
    modelCalls: 0,
    bytesSent: 0,
    bytesReceived: 0,
    inputTokens: 0,
    outputTokens: 0,
    estimatedTokens: 0,
  };
}
