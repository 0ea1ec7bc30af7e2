import type { FactQuery, HostFacts, SystemFacts } from '../plan/facts.ts';
import { probeBubblewrap } from './bubblewrap.ts';
import { callFailed } from './call-failed.ts';
import { probeCgroupLayout } from './cgroup-layout.ts';
import { EGRESS_CONTROL_SOCKET } from './egress.ts';
import { isSocket, probeSocketProxyd } from './egress-facts.ts';
import { readGeneration } from './generation.ts';
import type { HostFiles } from './host.ts';
import { probeNetworkTools } from './network-tools.ts';
import { probePath } from './path-facts.ts';
import { probeProgram } from './program-facts.ts';
import { probeBundle, probeEtc, probeProfile, probeRoots } from './shown-paths.ts';
import { probeSocket } from './socket-facts.ts';
import { probeUserClaims } from './user-claims.ts';
import type { UserNames } from './user-names.ts';

/** What a probe is made of. */
export interface ProbeOptions {
  readonly files: HostFiles;
  readonly users: Pick<UserNames, 'find'>;
  /** Directories in which programs of the system are looked for before the usual ones. */
  readonly tools: readonly string[];
  /** Path of bubblewrap to use instead of looking for it, or null. */
  readonly bwrapPath: string | null;
  /** The exit report program as installed. */
  readonly exitReportPath: string;
  /** Finds out whether PID 1 can hand this file to a unit as a credential. */
  readonly tryCredential: (source: string) => Promise<boolean>;
}

/** Answers the planner's questions about this machine; changes nothing. */
export class Probe {
  readonly #options: ProbeOptions;
  #system: Promise<SystemFacts> | null = null;
  #generation: string | null = null;
  #canLoadCredential = false;

  constructor(options: ProbeOptions) {
    this.#options = options;
  }

  /**
   * Facts for every agent, asked for once; a failure is not remembered. A
   * NixOS that runs another generation is asked again: what the one before
   * consisted of may be removed.
   */
  async systemFacts(): Promise<SystemFacts> {
    const generation = readGeneration();
    if (generation !== this.#generation) this.refreshFacts();
    this.#generation = generation;
    this.#system ??= this.#readSystem();
    return this.#system;
  }

  /** Forgets what {@link systemFacts} remembers. */
  refreshFacts(): void {
    this.#system = null;
    this.#canLoadCredential = false;
  }

  /** Facts for one card. Throws `host.call-failed`. */
  async facts(query: FactQuery): Promise<HostFacts> {
    const { files, users, tools } = this.#options;
    try {
      const [
        system,
        workspace,
        program,
        binds,
        sockets,
        userClaims,
        isEgressInstalled,
        networkTools,
        canLoadCredential,
      ] = await Promise.all([
        this.systemFacts(),
        probePath(query.workspace, users),
        query.program === null ? null : probeProgram(query.program),
        Promise.all(query.binds.map((path) => probePath(path, users))),
        Promise.all(query.sockets.map((path) => probeSocket(path, users))),
        probeUserClaims(files, query.user),
        isSocket(EGRESS_CONTROL_SOCKET),
        probeNetworkTools(tools),
        query.wantsCredential ? this.#askCredential() : null,
      ]);
      return {
        system,
        workspace,
        binds,
        sockets,
        program,
        userClaims,
        isEgressInstalled,
        networkTools,
        canLoadCredential,
      };
    } catch (error) {
      throw callFailed('looking at the host', error);
    }
  }

  /** Only success is remembered: what is missing can be mended, and the next start finds out. */
  async #askCredential(): Promise<boolean> {
    const { tryCredential, exitReportPath } = this.#options;
    this.#canLoadCredential ||= await tryCredential(exitReportPath);
    return this.#canLoadCredential;
  }

  async #readSystem(): Promise<SystemFacts> {
    const { files, tools, bwrapPath, exitReportPath } = this.#options;
    try {
      const roots = await probeRoots();
      const [bubblewrap, cgroupLayout, etc, profile, socketProxydPath] = await Promise.all([
        probeBubblewrap(bwrapPath, tools),
        probeCgroupLayout(files),
        probeEtc(roots),
        probeProfile(roots),
        probeSocketProxyd(tools),
      ]);
      const certificateBundle = await probeBundle(roots, etc);
      return {
        bwrapPath: bubblewrap.path,
        bwrapOptions: bubblewrap.options,
        cgroupLayout,
        roots,
        etc,
        profile,
        certificateBundle,
        exitReportPath,
        socketProxydPath,
      };
    } catch (error) {
      this.#system = null;
      throw callFailed('looking at the system', error);
    }
  }
}
