import { EVENT_BYTES_MAX } from '../base/limits.ts';
import type {
  AgentDetail,
  AgentEvent,
  AgentList,
  AgentView,
  AuditCheckView,
  AuditEntry,
  AuditMessage,
  CredentialsView,
  EgressChange,
  EgressRule,
  EgressView,
  LaunchRequest,
  PlanView,
  ReloadView,
  VersionView,
} from './api.gen.ts';
import { ByteReader, EndedEarly } from './byte-reader.ts';
import { ask, askJson, exchangeFailure, type Question } from './exchange.ts';
import { refusalError } from './refusal.ts';

/** The events of an attached agent, as they come. */
export interface AgentEvents extends AsyncIterable<AgentEvent> {
  /** Lets go of the agent: when it has not ended yet, the daemon stops it. */
  close(): void;
}

/** The entries of an audit, as they come. */
export interface AuditEntries extends AsyncIterable<AuditEntry> {
  close(): void;
}

/** The daemon's API. Every call throws `SpawnError`: the daemon's refusal, or `control.unavailable`. */
export class ApiClient {
  readonly socketPath: string;

  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  async version(): Promise<VersionView> {
    return (await this.#ask('GET', '/v1/version')) as VersionView;
  }

  async list(options: { readonly ended: boolean }): Promise<AgentList> {
    return (await this.#ask('GET', `/v1/agents?ended=${options.ended}`)) as AgentList;
  }

  async plan(request: LaunchRequest): Promise<PlanView> {
    return (await askJson(this.socketPath, post('/v1/plans', request))) as PlanView;
  }

  /** Starts a detached agent; resolves once its program runs. */
  async launch(request: LaunchRequest): Promise<AgentView> {
    return (await askJson(this.socketPath, post('/v1/agents', request))) as AgentView;
  }

  /** Starts an attached agent, which lives as long as its events are listened to. */
  launchAttached(request: LaunchRequest): Promise<AgentEvents> {
    return this.#events(post('/v1/agents', request));
  }

  /** Takes up an attached agent again whose events broke off. */
  hold(id: string): Promise<AgentEvents> {
    return this.#events({ method: 'POST', target: `${agentPath(id)}/hold` });
  }

  async get(id: string): Promise<AgentView> {
    return (await this.#ask('GET', agentPath(id))) as AgentView;
  }

  async inspect(id: string): Promise<AgentDetail> {
    return (await this.#ask('GET', `${agentPath(id)}/inspect`)) as AgentDetail;
  }

  async start(id: string): Promise<AgentView> {
    return (await this.#ask('POST', `${agentPath(id)}/start`)) as AgentView;
  }

  /** Resolves once nothing of the agent runs. */
  async stop(id: string): Promise<AgentView> {
    return (await this.#ask('POST', `${agentPath(id)}/stop`)) as AgentView;
  }

  async restart(id: string): Promise<AgentView> {
    return (await this.#ask('POST', `${agentPath(id)}/restart`)) as AgentView;
  }

  /** Resolves when the agent has ended. */
  async wait(id: string): Promise<AgentView> {
    return (await this.#ask('GET', `${agentPath(id)}/wait`)) as AgentView;
  }

  async remove(id: string): Promise<void> {
    await this.#ask('DELETE', agentPath(id));
  }

  /** Hands the next piece of a stream to the journal; an empty one ends the stream. */
  async copyOutput(id: string, piece: Uint8Array, stream: 'stdout' | 'stderr'): Promise<void> {
    await askJson(this.socketPath, {
      method: 'POST',
      target: `${agentPath(id)}/output?stream=${stream}`,
      mediaType: 'application/octet-stream',
      body: piece,
    });
  }

  /** The entries of an audit as they come; with `follow` until {@link AuditEntries.close}. */
  async audit(id: string, options: { readonly denied: boolean; readonly follow: boolean }): Promise<AuditEntries> {
    const target = `${agentPath(id)}/audit?denied=${options.denied}&follow=${options.follow}`;
    const answer = await ask(this.socketPath, { method: 'GET', target });
    return { [Symbol.asyncIterator]: () => readEntries(answer.body, this.socketPath), close: answer.close };
  }

  async checkAudit(id: string): Promise<AuditCheckView> {
    return (await this.#ask('GET', `${agentPath(id)}/audit/verify`)) as AuditCheckView;
  }

  async egress(id: string): Promise<EgressView> {
    return (await this.#ask('GET', `${agentPath(id)}/egress`)) as EgressView;
  }

  /** Reads the cards directory again. */
  async reload(): Promise<ReloadView> {
    return (await this.#ask('POST', '/v1/reload')) as ReloadView;
  }

  /** Reads the credentials of an agent again. */
  async reloadCredentials(id: string): Promise<CredentialsView> {
    return (await this.#ask('POST', `${agentPath(id)}/credentials/reload`)) as CredentialsView;
  }

  /** Adds a rule to a running agent's. */
  async changeEgress(id: string, change: EgressChange): Promise<EgressRule> {
    return (await askJson(this.socketPath, post(`${agentPath(id)}/egress`, change))) as EgressRule;
  }

  #ask(method: Question['method'], target: string): Promise<unknown> {
    return askJson(this.socketPath, { method, target });
  }

  async #events(question: Question): Promise<AgentEvents> {
    const answer = await ask(this.socketPath, question);
    return { [Symbol.asyncIterator]: () => readEvents(answer.body, this.socketPath), close: answer.close };
  }
}

function post(target: string, value: unknown): Question {
  return { method: 'POST', target, mediaType: 'application/json', body: JSON.stringify(value) };
}

function agentPath(id: string): string {
  return `/v1/agents/${encodeURIComponent(id)}`;
}

/** One event per line. Throws `control.unavailable` when they break off before the last event of an agent. */
async function* readEvents(body: AsyncIterable<Buffer>, socketPath: string): AsyncGenerator<AgentEvent, void, void> {
  const reader = new ByteReader(body);
  for (;;) {
    const event = await reader.line(EVENT_BYTES_MAX).then(
      (line) => JSON.parse(line) as AgentEvent,
      (error: unknown) => {
        throw exchangeFailure(error, socketPath);
      },
    );
    yield event;
    if (event.event !== 'started') return;
  }
}

/** One entry per line, to the end of the answer. Throws what the daemon says, `control.unavailable` when it breaks off. */
async function* readEntries(body: AsyncIterable<Buffer>, socketPath: string): AsyncGenerator<AuditEntry, void, void> {
  const reader = new ByteReader(body);
  for (;;) {
    const line = await reader.line(EVENT_BYTES_MAX).catch((error: unknown) => {
      if (error instanceof EndedEarly) return null;
      throw exchangeFailure(error, socketPath);
    });
    if (line === null) return;
    const message = JSON.parse(line) as AuditMessage;
    if (message.kind === 'failed') throw refusalError(message.problem);
    yield message;
  }
}
