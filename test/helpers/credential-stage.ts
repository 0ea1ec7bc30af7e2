import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditEvent } from '../../src/audit/event.gen.ts';
import { parseCard } from '../../src/card/parse.ts';
import { resolveCard } from '../../src/card/resolve.ts';
import { planCredentials } from '../../src/plan/gateways.ts';
import { agentctl } from './agents.ts';
import { EgressStage, head } from './egress-stage.ts';
import type { HttpArrival } from './internet-arrival.ts';
import { distrustAuthority, trustAuthority } from './proxy-trust.ts';
import { type Puppet, verdictOf } from './puppet.ts';

/** Keys of the three gateways: one is made of whatever is escaped anywhere. */
export const KEYS = {
  api: 'sk-ant-canary-7Qm2xV9LtR4wKz8pNc',
  echo: String.raw`canary"+/\&=<%3D>?~'3hY6bUo1eJ`,
  other: 'sk-proj-canary-D5sG0fHvXa2nWq',
} as const;

/** Where the gateways begin: a model's API, anything at all, and another model's API. */
export const MOUNTS = { api: '/anthropic', echo: '/custom/echo.example.com', other: '/openai/v1' } as const;

/** One of the gateways. */
export type GatewayName = keyof typeof KEYS;

/** What a puppet holds in place of keys. */
export type Placeholders = Readonly<Record<GatewayName, string>>;

/** Any key, in a pattern. */
export const CANARY: RegExp = /canary/i;

/** Keys of a card whose one gateway, the echo, has the key of this source. */
export function echoWithKey(source: string): Readonly<Record<string, unknown>> {
  const echo = { provider: 'custom', base_url: 'https://echo.example.com', header: 'x-api-key', api_key_file: source };
  return { credentials: [echo] };
}

/** Processes that are others after the proxy was started again. */
const RESTARTED = /agent-(spawn|egress)d\.(service|socket|cjs)/;

/** What a suite about credentials plays on: a pretend internet that the proxy trusts, and agents with keys. */
export class CredentialStage {
  readonly egress: EgressStage;
  readonly #keys: string;

  private constructor(egress: EgressStage, keys: string) {
    this.egress = egress;
    this.#keys = keys;
  }

  static async open(): Promise<CredentialStage> {
    const egress = await EgressStage.open({ ignoreLeaks: RESTARTED });
    await egress.internet.answer('echo.example.com', ['11.0.0.9']);
    await trustAuthority(egress.internet.authority);
    const keys = mkdtempSync('/run/as-test-keys-');
    for (const [name, key] of Object.entries(KEYS)) writeFileSync(join(keys, name), `${key}\n`, { mode: 0o600 });
    return new CredentialStage(egress, keys);
  }

  /** Starts an agent with the three gateways. */
  async agent(card: Readonly<Record<string, unknown>> = {}): Promise<readonly [Puppet, Placeholders]> {
    const puppet = await this.egress.agent({ ...this.credentials(), ...card });
    return [puppet, placeholdersOf({ ...this.credentials(), ...card }, puppet.id)];
  }

  /** Keys of a card that make the three gateways. */
  credentials(): Readonly<Record<string, unknown>> {
    const entry = (provider: string, name: GatewayName, rest: Readonly<Record<string, string>>): unknown => ({
      ...{ provider, api_key_file: this.keyFile(name), ...rest },
    });
    return {
      credentials: [
        entry('anthropic', 'api', { base_url: 'https://api.example.com' }),
        entry('custom', 'echo', { base_url: 'https://echo.example.com', header: 'x-api-key' }),
        entry('openai', 'other', { base_url: 'https://other.example.com/v1' }),
      ],
    };
  }

  /** Path of the file of a key. */
  keyFile(name: GatewayName): string {
    return join(this.#keys, name);
  }

  /** Writes another file beside those of the keys, and returns its path. */
  writeKey(name: string, content: string | Uint8Array): string {
    const path = join(this.#keys, name);
    writeFileSync(path, content);
    chmodSync(path, 0o600);
    return path;
  }

  /** Requests that have arrived at web servers. */
  arrivals(): Promise<readonly HttpArrival[]> {
    return this.egress.internet.arrivals('http');
  }

  /** What arrives as the key of a request to the echo that a puppet makes. */
  async keySentBy(puppet: Puppet): Promise<string | undefined> {
    await this.egress.internet.clear();
    const answer = await puppet.ask(call('GET', `${MOUNTS.echo}/x`));
    assert.equal(verdictOf(answer), '200', answer);
    const [arrival] = await this.arrivals();
    return arrival?.headers.find(([name]) => name === 'x-api-key')?.[1];
  }

  /** The audit of an agent. */
  async audit(id: string): Promise<readonly AuditEvent[]> {
    const { stdout } = await agentctl('audit', '--json', id);
    return stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as AuditEvent);
  }

  async close(): Promise<void> {
    await distrustAuthority();
    rmSync(this.#keys, { recursive: true, force: true });
    await this.egress.close();
  }
}

function placeholdersOf(card: Readonly<Record<string, unknown>>, id: string): Placeholders {
  const text = JSON.stringify({ agent_id: id, workspace: '/nowhere', ...card });
  const parsed = parseCard(new TextEncoder().encode(text), { format: 'json' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const planned = planCredentials(resolveCard(parsed.value, 'spawned'));
  if (!planned.ok) throw new Error(JSON.stringify(planned.problems));
  const [api = '', echo = '', other = ''] = planned.value.map(({ gateway }) => gateway?.placeholder ?? '');
  return { api, echo, other };
}

/** A request to a gateway, with a body where there is one. */
export function call(method: string, path: string, fields: readonly string[] = [], body: string | null = null): string {
  const length = body === null ? [] : [`Content-Length: ${body.length}`];
  return head(`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1:3128', ...fields, ...length) + (body ?? '');
}

/** The value of a field of a request that arrived, or undefined. */
export function fieldOf(arrival: HttpArrival | undefined, name: string): string | undefined {
  return arrival?.headers.find(([other]) => other === name)?.[1];
}
