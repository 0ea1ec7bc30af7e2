import { linuxAudit } from './audit-reader.ts';
import { SYSTEM_BUS } from './bus.ts';
import { linuxClock } from './clock.ts';
import { tryCredential } from './credential-trial.ts';
import { EgressControl } from './egress.ts';
import { linuxFiles } from './files.ts';
import { watchGeneration } from './generation.ts';
import type { Host } from './host.ts';
import { Journal } from './journal.ts';
import { Probe } from './probe.ts';
import { linuxSecrets } from './secrets.ts';
import { Systemd } from './systemd.ts';
import { UserNames } from './user-names.ts';

/** Where things are on this machine; everything has its usual place. */
export interface LinuxHostOptions {
  /** Where our own scripts are (units/). */
  readonly programsDirectory: string;
  /** Directories in which programs of the system are looked for before the usual ones; none when absent. */
  readonly tools?: readonly string[];
  /** D-Bus address of the system bus. */
  readonly busAddress?: string;
  /** The control socket of the egress proxy. */
  readonly egressSocket?: string;
  /** The bubblewrap to use instead of looking for one. */
  readonly bwrapPath?: string | null;
  /** Uids we hand out ourselves: no user database knows them, so none is asked. */
  readonly agentUids?: { readonly first: number; readonly count: number };
  /** Files of secrets may be readable by others than root; not when absent. */
  readonly allowReadableKeys?: boolean;
  /** Where systemd put the credentials of this process; nowhere when absent. */
  readonly credentialsDirectory?: string | null;
}

/**
 * The machine this process runs on. Connects to PID 1 and throws
 * `host.systemd-missing` when that cannot be had; disposing closes the
 * connection and ends nothing else.
 */
export async function openLinuxHost(options: LinuxHostOptions): Promise<Host & AsyncDisposable> {
  const clock = linuxClock();
  const files = linuxFiles();
  const { agentUids = { first: 0, count: 0 }, tools = [] } = options;
  const names = new UserNames(files, clock, tools);
  const isAgents = (uid: number): boolean => uid >= agentUids.first && uid < agentUids.first + agentUids.count;
  const units = await Systemd.open(options.busAddress ?? SYSTEM_BUS);
  const probe = new Probe({
    files,
    users: { find: async (uid) => (isAgents(uid) ? null : names.find(uid)) },
    bwrapPath: options.bwrapPath ?? null,
    tools,
    exitReportPath: `${options.programsDirectory}/exit-report`,
    tryCredential: (source) => tryCredential({ units, clock }, source),
  });
  const journal = new Journal(clock);
  return {
    files,
    secrets: linuxSecrets({
      tools,
      mayBeReadable: options.allowReadableKeys ?? false,
      credentialsDirectory: options.credentialsDirectory ?? null,
    }),
    units,
    journal,
    egress: new EgressControl(options.egressSocket),
    clock,
    audit: linuxAudit(),
    systemFacts: () => probe.systemFacts(),
    refreshFacts: () => probe.refreshFacts(),
    watchFacts: watchGeneration,
    facts: (query) => probe.facts(query),
    [Symbol.asyncDispose]: async () => {
      await journal[Symbol.asyncDispose]();
      await units[Symbol.asyncDispose]();
    },
  };
}
