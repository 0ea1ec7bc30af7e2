import { SpawnError } from '../base/errors.ts';
import type { Host, HostSecrets } from '../host/host.ts';
import { COMMAND_DROP_IN } from '../plan/command-drop-in.ts';
import type { Step, StepArguments, StepKind } from '../plan/step.ts';
import { withCredentials } from './egress-credentials.ts';
import type { EgressTables } from './egress-tables.ts';
import { prepareHome } from './home.ts';
import { writeKeys } from './key-file.ts';
import { prepareLink } from './link.ts';
import { removeUnits, writeUnits } from './publish.ts';
import { takeStreams } from './streams.ts';

/** Takes back what a step did; calling it for a step that did nothing is fine. */
export type Undo = () => Promise<void>;

/** Where the engine keeps its things on the host. */
export interface EnginePaths {
  /** Directory nss-systemd reads user records from (nss-systemd(8)). */
  readonly userdbDirectory: string;
  /** Directory with one run directory per agent. */
  readonly agentsDirectory: string;
  /** Directory with one directory per agent with a home of its own. */
  readonly homesDirectory: string;
  /** Directory with one record per agent. */
  readonly recordsDirectory: string;
  /** Directory exit reports are written to. */
  readonly exitsDirectory: string;
  /** Directory in which callers make the stdio sockets of foreground agents. */
  readonly attachDirectory: string;
  /** Root's directory with one directory per foreground agent, in which PID 1 finds those sockets. */
  readonly streamsDirectory: string;
  /** Directory systemd reads run-time unit files from. */
  readonly unitsDirectory: string;
  /** Directory of declared cards. */
  readonly cardsDirectory: string;
  /** File with the uid of every agent id. */
  readonly uidsFile: string;
  /** Program that a unit runs when its card is refused. */
  readonly refusePath: string;
  /** Program that tells who listens on a port. */
  readonly holderPath: string;
}

/** What steps are done to. */
export interface StepGround {
  readonly host: Host;
  /** Secrets of the host, or what was read of them already. */
  readonly secrets: HostSecrets;
  readonly paths: EnginePaths;
  readonly egress: EgressTables;
}

/** One executor per step kind: does the step and returns its undo. */
type Executors = {
  readonly [Kind in StepKind]: (ground: StepGround, argument: StepArguments[Kind]) => Promise<Undo>;
};

const EXECUTORS: Executors = {
  'identity.publish': publishIdentity,
  'files.write': writeFiles,
  'keys.write': writeKeys,
  'workspace.prepare': prepareWorkspace,
  'home.prepare': prepareHome,
  'publish.install': installPorts,
  'link.prepare': prepareLink,
  'egress.register': registerEgress,
  'streams.take': takeStreams,
  'commands.install': installCommands,
  'unit.start': startUnit,
  'unit.install': installUnit,
};

/** Does one step. A step that throws has left nothing behind. */
export function execute(ground: StepGround, step: Step): Promise<Undo> {
  const executor = EXECUTORS[step.kind] as (ground: StepGround, argument: unknown) => Promise<Undo>;
  return executor(ground, step.arguments);
}

/** Names of the userdb records of one user (nss-systemd(8), "CONFIGURATION FILES"). */
export function identityFiles(paths: EnginePaths, user: string): readonly string[] {
  return [`${paths.userdbDirectory}/${user}.user`, `${paths.userdbDirectory}/${user}.group`];
}

/**
 * Publishes the user by name only: the numeric link would answer lookups by
 * uid, and a uid that a real user owns keeps that user's name.
 */
async function publishIdentity(
  { host, paths }: StepGround,
  argument: StepArguments['identity.publish'],
): Promise<Undo> {
  const { user, uid, gid, description } = argument;
  const [userFile = '', groupFile = ''] = identityFiles(paths, user);
  const record = {
    userName: user,
    uid,
    gid,
    realName: description,
    homeDirectory: '/',
    shell: '/usr/sbin/nologin',
    locked: true,
  };
  const undo = async (): Promise<void> => {
    await host.files.remove(userFile);
    await host.files.remove(groupFile);
  };
  await undoOnFailure(undo, async () => {
    await host.files.write(userFile, JSON.stringify(record), 0o644);
    await host.files.write(groupFile, JSON.stringify({ groupName: user, gid }), 0o644);
  });
  return undo;
}

async function writeFiles({ host }: StepGround, argument: StepArguments['files.write']): Promise<Undo> {
  const undo = (): Promise<void> => host.files.removeTree(argument.directory);
  await undoOnFailure(undo, async () => {
    await host.files.makeDirectory(argument.directory, 0o755);
    for (const file of argument.files)
      await host.files.write(`${argument.directory}/${file.name}`, file.content, 0o644);
  });
  return undo;
}

async function prepareWorkspace({ host }: StepGround, argument: StepArguments['workspace.prepare']): Promise<Undo> {
  const change = await host.files.prepareWorkspace(argument);
  return () => host.files.revertWorkspace(change);
}

async function installPorts({ host, paths }: StepGround, { units }: StepArguments['publish.install']): Promise<Undo> {
  const names = units.map(({ name }) => name);
  const undo = (): Promise<void> => removeUnits(host, paths, names);
  await undoOnFailure(undo, () => writeUnits(host, paths, units));
  return undo;
}

async function registerEgress(
  { secrets, egress }: StepGround,
  { table, secrets: sources }: StepArguments['egress.register'],
): Promise<Undo> {
  await egress.register(await withCredentials(secrets, table, sources));
  return async () => {
    await egress.remove(table.id);
  };
}

async function startUnit({ host }: StepGround, argument: StepArguments['unit.start']): Promise<Undo> {
  const { unit, properties } = argument;
  const undo = async (): Promise<void> => {
    await host.units.stop(unit);
    await host.units.resetFailed(unit);
  };
  let result: string;
  try {
    result = await host.units.startTransient(unit, properties);
  } catch (error) {
    if (!(error instanceof SpawnError && error.code === 'sandbox.exists')) await swallow(undo);
    throw error;
  }
  if (result === 'done') return undo;
  const state = await host.units.state(unit).catch(() => null);
  await swallow(undo);
  throw new SpawnError('sandbox.start-failed', startFailure(unit, result, state?.mainStatus ?? 0));
}

async function installCommands(
  { host, paths }: StepGround,
  { unit, text }: StepArguments['commands.install'],
): Promise<Undo> {
  const undo = (): Promise<void> => removeCommands(host, paths, unit);
  await undoOnFailure(undo, async () => {
    await host.files.makeDirectory(dropInDirectory(paths, unit), 0o755);
    await host.files.write(`${dropInDirectory(paths, unit)}/${COMMAND_DROP_IN}`, text, 0o644);
  });
  return undo;
}

/** Removes the commands of a transient unit, and their directory if nobody else has put anything there. */
export async function removeCommands(host: Host, paths: EnginePaths, unit: string): Promise<void> {
  const directory = dropInDirectory(paths, unit);
  await host.files.remove(`${directory}/${COMMAND_DROP_IN}`);
  await host.files.revertWorkspace({ made: [directory], reowned: 0 });
}

function dropInDirectory(paths: EnginePaths, unit: string): string {
  return `${paths.unitsDirectory}/${unit}.d`;
}

async function installUnit({ host }: StepGround, argument: StepArguments['unit.install']): Promise<Undo> {
  await host.files.write(argument.path, argument.text, 0o644);
  return () => host.files.remove(argument.path);
}

/** What systemd's own exit statuses mean (systemd.exec(5), "Process Exit Codes"), for those our properties can cause. */
const EXEC_STATUS: Readonly<Record<number, string>> = {
  203: 'the program could not be executed',
  208: 'standard input could not be connected',
  209: 'standard output could not be connected',
  217: 'the user of the agent was not found; is nss-systemd installed and listed in /etc/nsswitch.conf?',
  218: 'capabilities could not be dropped',
  219: 'the cgroup could not be set up',
  222: 'standard error could not be connected',
  225: 'the network namespace could not be made',
  226: 'a mount namespace could not be set up',
  228: 'the system call filter could not be loaded',
  243: 'PID 1 could not hand over its keys (LoadCredential=); this host or its container may forbid what that takes',
};

/** The sentence for a start job that did not end with `done`. */
function startFailure(unit: string, result: string, status: number): string {
  const reason = EXEC_STATUS[status] ?? `the job ended with "${result}"`;
  return `The unit ${unit} did not start: ${reason}.`;
}

/** Runs a piece of a step; when it fails, takes back the part that was done. */
async function undoOnFailure(undo: Undo, body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    await swallow(undo);
    throw error;
  }
}

/** Undoing after a failure: the failure that started it is the one to report. */
async function swallow(undo: Undo): Promise<void> {
  try {
    await undo();
  } catch {
    // What remains is found by the reconciliation at the next daemon start.
  }
}
