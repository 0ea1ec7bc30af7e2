import type { AuditLine, Host, HostAudit, HostJournal, JournalEntry } from '../../src/host/host.ts';
import type { FactQuery, HostFacts, ProgramFacts, SystemFacts } from '../../src/plan/facts.ts';
import { binary, DEBIAN } from './facts.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeEgress } from './fake-egress.ts';
import { FakeFaults, type FaultMoment } from './fake-faults.ts';
import { FakeFiles, type FakeNode } from './fake-files.ts';
import { FakeSecrets } from './fake-secrets.ts';
import { FakeUnits } from './fake-units.ts';

/** Directories every machine with agent-spawn has. */
const DIRECTORIES = [
  '/etc/agents',
  '/run/agent-spawn/agents',
  '/run/agent-spawn/attach',
  '/run/agent-spawn/exits',
  '/run/agent-spawn/homes',
  '/run/agent-spawn/records',
  '/run/agent-spawn/streams',
  '/run/systemd/system',
  '/run/userdb',
  '/srv',
  '/var/lib/agent-spawn',
];

/**
 * A machine in memory, for tests of everything above the host room. The
 * contract suite holds it to the behaviour of the real one.
 */
export class FakeHost implements Host {
  readonly #faults = new FakeFaults();
  readonly files = new FakeFiles(this.#faults);
  readonly secrets = new FakeSecrets(this.files);
  readonly clock = new FakeClock();
  readonly units = new FakeUnits(this.#faults, this.files, this.clock);
  readonly egress = new FakeEgress(this.#faults);
  readonly journaled: JournalEntry[] = [];
  /** Lines of audits by agent; nobody writes more of them. */
  readonly audits = new Map<string, readonly AuditLine[]>();
  readonly audit: HostAudit = {
    lines: async function* (this: FakeHost, id: string) {
      yield* this.audits.get(id) ?? [];
    }.bind(this),
  };
  readonly journal: HostJournal = {
    append: (entry) => this.#faults.mutate(`journal of ${entry.unit}`, () => void this.journaled.push(entry)),
  };
  system: SystemFacts = DEBIAN;
  readonly #factWatches = new Set<() => void>();
  canLoadCredential = true;
  /** Programs by name; null for one that is not installed. Every other name is a binary in /usr/bin. */
  readonly programs = new Map<string, ProgramFacts | null>();
  #baseline = new Map<string, string>();

  constructor() {
    for (const path of DIRECTORIES) this.files.seedDirectory(path);
    this.markClean();
  }

  /** Mutating calls so far. */
  get calls(): number {
    return this.#faults.calls;
  }

  /** What the mutating calls were, in order. */
  get log(): readonly string[] {
    return this.#faults.log;
  }

  /** Makes the n-th mutating call from now on throw `host.call-failed`, counted from 1; 0 for none. */
  failAt(n: number, moment: FaultMoment = 'before'): void {
    this.#faults.failAt(n, moment);
  }

  /** Makes the n-th mutating call from now on and every later one throw, as for a daemon that was killed; 0 for a new daemon. */
  dieAt(n: number): void {
    this.#faults.dieAt(n);
  }

  /** Takes what is there now as what should be there. */
  markClean(): void {
    this.#baseline = this.#inventory();
  }

  /** What is there beyond the last {@link markClean}, what is gone and what is different, one sentence each. */
  leftovers(): readonly string[] {
    const now = this.#inventory();
    const added = [...now].filter(([name]) => !this.#baseline.has(name)).map(([name]) => `${name} remains`);
    const gone = [...this.#baseline.keys()].filter((name) => !now.has(name)).map((name) => `${name} is gone`);
    const changed = [...now]
      .filter(([name, value]) => this.#baseline.has(name) && this.#baseline.get(name) !== value)
      .map(([name]) => `${name} is different`);
    return [...added, ...gone, ...changed].sort();
  }

  async systemFacts(): Promise<SystemFacts> {
    return this.system;
  }

  refreshFacts(): void {}

  watchFacts(changed: () => void): Disposable {
    this.#factWatches.add(changed);
    return { [Symbol.dispose]: () => void this.#factWatches.delete(changed) };
  }

  /** Makes this another system, as a switch of a NixOS does. */
  switchTo(system: SystemFacts): void {
    this.system = system;
    for (const changed of this.#factWatches) changed();
  }

  async facts(query: FactQuery): Promise<HostFacts> {
    const { program } = query;
    return {
      system: this.system,
      workspace: this.files.facts(query.workspace),
      binds: query.binds.map((path) => this.files.facts(path)),
      sockets: query.sockets.map((path) => ({ path: this.files.facts(path), isSocket: false, isAnswered: false })),
      userClaims: { isUser: false, groups: [] },
      isEgressInstalled: true,
      canLoadCredential: query.wantsCredential ? this.canLoadCredential : null,
      networkTools: { nft: '/usr/sbin/nft', ip: '/usr/sbin/ip' },
      program: program === null ? null : this.#program(program.name),
    };
  }

  #program(name: string): ProgramFacts | null {
    const known = this.programs.get(name);
    if (known !== undefined) return known;
    return binary(name.startsWith('/') ? name : `/usr/bin/${name}`);
  }

  #inventory(): Map<string, string> {
    const files = [...this.files.nodes].map(([path, node]) => [`${node.kind} ${path}`, describeNode(node)] as const);
    const units = [...this.units.loaded].map(([name, { state }]) => [`unit ${name}`, state.activeState] as const);
    const tables = [...this.egress.tables].map(([id, table]) => [`egress of ${id}`, JSON.stringify(table)] as const);
    return new Map([...files, ...units, ...tables]);
  }
}

function describeNode(node: FakeNode): string {
  const content = node.kind === 'file' ? Buffer.from(node.content).toString('hex') : '';
  return JSON.stringify({ ...node, content });
}
