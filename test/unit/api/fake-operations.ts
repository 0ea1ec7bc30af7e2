import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { constants } from 'node:os';
import { SpawnError } from '../../../src/base/errors.ts';
import type { AuditOptions, Caller, EgressChange, LaunchRequest, Operations } from '../../../src/control/operations.ts';
import type {
  AgentDetail,
  AgentView,
  AuditCheckView,
  AuditEntry,
  CredentialsView,
  EgressView,
  OutcomeView,
  PlanView,
  ReloadView,
  VersionView,
} from '../../../src/control/views.ts';
import type { EgressRule } from '../../../src/policy/table.ts';
import {
  agentDetail,
  agentView,
  auditCheckView,
  auditEntries,
  credentialsView,
  egressView,
  endedView,
  planView,
  reloadView,
} from './views.ts';

/** What the cards of the tests say: an id, and what the fake does with it. */
interface FakeCard {
  readonly agent_id: string;
  /** Shell script that plays the agent; the launch's arguments are its own. */
  readonly script?: string;
  /** An outcome that replaces the one of the script. */
  readonly outcome?: OutcomeView;
  /** An error of the launch. */
  readonly error?: ConstructorParameters<typeof SpawnError>;
  readonly notices?: readonly string[];
}

/** A played agent. */
interface FakeAgent {
  view: AgentView;
  child: ChildProcess | null;
  stopRequested: boolean;
  readonly ended: Promise<void>;
}

/**
 * Operations without a host. An agent is a process of the test; attached, its
 * standard streams are the caller's sockets, connected as PID 1 does it.
 */
export class FakeOperations implements Operations {
  readonly calls: string[] = [];
  readonly agents = new Map<string, FakeAgent>();
  readonly copied = { stdout: '', stderr: '' };
  /** Answers of `copyOutput` wait for this. */
  copyGate: Promise<void> = Promise.resolve();
  /** Launches wait for this before they start anything. */
  launchGate: Promise<void> = Promise.resolve();
  /** Verdicts on audits, by agent; every other one holds. */
  readonly checks = new Map<string, AuditCheckView>();
  readonly #more: AuditEntry[] = [];
  #readers: ((entry: AuditEntry | null) => void)[] = [];
  readonly #attachDirectory: string;
  readonly #waiters: (() => void)[] = [];

  constructor(attachDirectory: string) {
    this.#attachDirectory = attachDirectory;
  }

  version(): VersionView {
    return { version: '1.2.3' };
  }

  list(options: { readonly ended: boolean }): readonly AgentView[] {
    const views = [...this.agents.values()].map((agent) => agent.view).sort((a, b) => (a.id < b.id ? -1 : 1));
    return views.filter((view) => options.ended || view.state !== 'ended');
  }

  async plan(request: LaunchRequest): Promise<PlanView> {
    return planView(readCard(request).agent_id);
  }

  async launch(request: LaunchRequest, caller: Caller): Promise<AgentView> {
    const card = readCard(request);
    this.#record(`launch ${card.agent_id} by ${caller.uid}`);
    await this.launchGate;
    const stdio = request.attach === null ? null : await this.#connect(request.attach);
    const child = card.script === undefined ? null : play(card.script, request.arguments, stdio);
    const view = agentView(card.agent_id, { startedAt: new Date().toISOString(), notices: card.notices ?? [] });
    const ended = child === null ? new Promise<void>(() => undefined) : this.#end(card, child);
    this.agents.set(card.agent_id, { view, child, stopRequested: false, ended });
    for (const socket of stdio ?? []) socket.destroy();
    return view;
  }

  async get(id: string): Promise<AgentView> {
    return this.#find(id).view;
  }

  async inspect(id: string): Promise<AgentDetail> {
    return agentDetail(this.#find(id).view);
  }

  async start(id: string): Promise<AgentView> {
    this.#record(`start ${id}`);
    return this.#find(id).view;
  }

  async stop(id: string): Promise<AgentView> {
    this.#record(`stop ${id}`);
    const agent = this.#find(id);
    if (agent.child === null || agent.view.state === 'ended') return agent.view;
    agent.stopRequested = true;
    process.kill(-(agent.child.pid ?? 0), 'SIGTERM');
    await agent.ended;
    return this.#find(id).view;
  }

  async restart(id: string): Promise<AgentView> {
    this.#record(`restart ${id}`);
    return this.#find(id).view;
  }

  async wait(id: string, signal: AbortSignal): Promise<AgentView> {
    const agent = this.#find(id);
    if (agent.view.state !== 'ended' && !signal.aborted) {
      await Promise.race([agent.ended, once(signal, 'abort')]);
    }
    return this.#find(id).view;
  }

  async remove(id: string): Promise<void> {
    this.#record(`remove ${id}`);
    this.#find(id);
    this.agents.delete(id);
  }

  async copyOutput(id: string, piece: Uint8Array, stream: 'stdout' | 'stderr'): Promise<void> {
    this.#find(id);
    await this.copyGate;
    this.copied[stream] += piece.length === 0 ? '|' : Buffer.from(piece).toString();
  }

  async audit(id: string, { denied, follow }: AuditOptions): Promise<AsyncIterable<AuditEntry>> {
    const entries = this.#find(id) === undefined ? [] : auditEntries(id);
    const isWanted = (entry: AuditEntry): boolean =>
      !denied || entry.kind === 'repeated' || (entry.kind === 'decision' && entry.verdict === 'deny');
    return this.#follow(entries.filter(isWanted), follow);
  }

  async checkAudit(id: string): Promise<AuditCheckView> {
    this.#find(id);
    return this.checks.get(id) ?? auditCheckView(id);
  }

  async egress(id: string): Promise<EgressView> {
    this.#find(id);
    return egressView(id);
  }

  async reloadCredentials(id: string, caller: Caller): Promise<CredentialsView> {
    this.#record(`reload credentials of ${id} by ${caller.uid}`);
    this.#find(id);
    return credentialsView(id);
  }

  async reload(caller: Caller): Promise<ReloadView> {
    this.#record(`reload by ${caller.uid}`);
    return reloadView();
  }

  async changeEgress(id: string, { action, host }: EgressChange, caller: Caller): Promise<EgressRule> {
    this.#record(`${action} ${host} for ${id} by ${caller.uid}`);
    this.#find(id);
    const pointer = `/live/${action}/0`;
    return { host, ports: [80, 443], methods: null, paths: null, protocol: 'tls', pointer, reason: null };
  }

  /** What is there, and while somebody follows one more entry for every {@link more}. */
  async *#follow(entries: readonly AuditEntry[], signal: AbortSignal | null): AsyncGenerator<AuditEntry, void, void> {
    yield* entries;
    if (signal === null) return;
    while (!signal.aborted) {
      const entry = this.#more.shift() ?? (await this.#next(signal));
      if (entry !== null) yield entry;
    }
  }

  #next(signal: AbortSignal): Promise<AuditEntry | null> {
    return new Promise((resolve) => {
      this.#readers.push(resolve);
      signal.addEventListener('abort', () => {
        this.#readers = this.#readers.filter((reader) => reader !== resolve);
        resolve(null);
      });
    });
  }

  /** Adds an entry to the audit that is followed, now or next. */
  more(entry: AuditEntry): void {
    const reader = this.#readers.shift();
    if (reader === undefined) this.#more.push(entry);
    else reader(entry);
  }

  /** Resolves once there were so many calls that change something. */
  async whenCalled(count: number): Promise<void> {
    while (this.calls.length < count) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  #record(call: string): void {
    this.calls.push(call);
    for (const wake of this.#waiters.splice(0)) wake();
  }

  /** Ends what still runs. */
  dispose(): void {
    for (const { child } of this.agents.values()) {
      if (child?.pid === undefined) continue;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended already.
      }
    }
  }

  #find(id: string): FakeAgent {
    const agent = this.agents.get(id);
    if (agent === undefined) {
      throw new SpawnError('sandbox.not-found', `No agent "${id}" is known.`, { remedy: 'agentctl list --all' });
    }
    return agent;
  }

  #connect(token: string): Promise<Socket[]> {
    return Promise.all(
      ['stdin', 'stdout', 'stderr'].map((name) => connected(`${this.#attachDirectory}/${token}/${name}.sock`)),
    );
  }

  async #end(card: FakeCard, child: ChildProcess): Promise<void> {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    const agent = this.#find(card.agent_id);
    const outcome = card.outcome ?? (agent.stopRequested ? stopped() : exited(code, signal));
    const { startedAt } = agent.view;
    agent.view = endedView(card.agent_id, outcome, { startedAt, endedAt: new Date().toISOString() });
  }
}

function readCard(request: LaunchRequest): FakeCard {
  const card = JSON.parse(request.card.text) as FakeCard;
  if (card.error !== undefined) throw new SpawnError(...card.error);
  return card;
}

async function connected(path: string): Promise<Socket> {
  const socket = connect({ path, allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
}

function play(script: string, words: readonly string[], stdio: readonly Socket[] | null): ChildProcess {
  // A group of its own, as a unit is one: a stop reaches every process of the agent.
  // bash reads ~/.bashrc when its standard input is a socket.
  return spawn('/bin/bash', ['--norc', '-c', script, 'agent', ...words], {
    stdio: stdio === null ? 'ignore' : [...stdio],
    detached: true,
  });
}

function stopped(): OutcomeView {
  return { kind: 'stopped', status: null, signal: null, message: 'It was stopped.' };
}

function exited(code: number | null, signal: NodeJS.Signals | null): OutcomeView {
  if (signal === null) return { kind: 'exited', status: code, signal: null, message: `It exited with status ${code}.` };
  return { kind: 'signalled', status: 128 + constants.signals[signal], signal, message: `${signal} ended it.` };
}
