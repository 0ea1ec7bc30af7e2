import { SpawnError } from '../base/errors.ts';
import type { Problem } from '../base/result.ts';
import type { UnitProperty } from '../plan/unit-property.ts';
import type { Host, UnitState } from './host.ts';

/** Where trial users are published, and as which one the trials run. */
export interface FitnessOptions {
  /** Directory nss-systemd reads user records from (nss-systemd(8)). */
  readonly userdbDirectory: string;
  /** A uid nobody has, for instance one of the agents' own range. */
  readonly uid: number;
}

/** How one trial unit ended. */
interface Trial {
  readonly result: string;
  readonly status: number;
}

/** Exit status of a unit whose user is not known (EXIT_USER, systemd.exec(5)). */
const STATUS_USER = 217;
/** Time a trial may take before PID 1 ends it, microseconds. */
const TRIAL_USEC = 10_000_000n;
/** Largest kernel setting read, bytes. */
const SETTING_BYTES_MAX = 256;

/**
 * Finds out why this host cannot confine agents, by trying: a unit that runs
 * as a user published for the purpose, then the same with bubblewrap making a
 * user namespace. Costs two unit starts, so it is asked when a start failed
 * and by the host's check-up, never on the way to a start. No problems means
 * that the host is fit. What the trials made is gone afterwards.
 */
export async function probeFitness(host: Host, options: FitnessOptions): Promise<readonly Problem[]> {
  let bwrapPath: string | null;
  try {
    ({ bwrapPath } = await host.systemFacts());
    if (bwrapPath === null) return [BUBBLEWRAP_MISSING];
    return await tryOut(host, options, bwrapPath);
  } catch (error) {
    if (error instanceof SpawnError && error.code === 'host.systemd-missing') return [systemdMissing(error)];
    throw error;
  }
}

async function tryOut(host: Host, options: FitnessOptions, bwrapPath: string): Promise<readonly Problem[]> {
  const name = `agent-fit_${host.clock.randomHex(4)}`;
  const paths = ['user', 'group'].map((kind) => `${options.userdbDirectory}/${name}.${kind}`);
  const { uid } = options;
  // Systemd makes it only when somebody else needs it; ours would be there with an installed agent-spawn.
  await host.files.makeDirectory(options.userdbDirectory, 0o755);
  try {
    const record = { userName: name, uid, gid: uid, homeDirectory: '/', shell: '/usr/sbin/nologin', locked: true };
    await host.files.write(paths[0] ?? '', JSON.stringify(record), 0o644);
    await host.files.write(paths[1] ?? '', JSON.stringify({ groupName: name, gid: uid }), 0o644);
    const bare = await runTrial(host, name, [bwrapPath, '--version']);
    if (bare.status === STATUS_USER) return [NSS_MISSING];
    if (bare.result !== 'success') return [unexpected(bare)];
    const confined = await runTrial(host, name, [bwrapPath, ...TRIAL_OPTIONS, '--', bwrapPath, '--version']);
    return confined.result === 'success' ? [] : [await usernsBlocked(host, confined)];
  } finally {
    for (const path of paths) await host.files.remove(path);
  }
}

/** What every sandbox needs of the kernel: namespaces made by an ordinary user, a fresh /proc, no further ones inside. */
const TRIAL_OPTIONS = [
  ...['--unshare-all', '--share-net', '--unshare-user', '--disable-userns', '--cap-drop', 'ALL', '--new-session'],
  ...['--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev'],
];

async function runTrial(host: Host, user: string, words: readonly string[]): Promise<Trial> {
  const unit = `agent-spawn-fitness-${host.clock.randomHex(8)}.service`;
  try {
    await host.units.startTransient(unit, trialProperties(user, words));
    const state = await host.units.state(unit);
    return { result: resultOf(state), status: state?.mainStatus ?? 0 };
  } finally {
    await host.units.stop(unit);
    await host.units.resetFailed(unit);
  }
}

/** A unit that succeeded is unloaded before anybody can ask; one that failed stays until its failure is reset. */
function resultOf(state: UnitState | null): string {
  return state === null ? 'success' : state.result;
}

function trialProperties(user: string, words: readonly string[]): readonly UnitProperty[] {
  return [
    { name: 'Description', signature: 's', value: 'Check-up of agent-spawn' },
    { name: 'Type', signature: 's', value: 'oneshot' },
    { name: 'CollectMode', signature: 's', value: 'inactive' },
    { name: 'User', signature: 's', value: user },
    { name: 'NoNewPrivileges', signature: 'b', value: true },
    { name: 'TimeoutStartUSec', signature: 't', value: TRIAL_USEC },
    { name: 'StandardOutput', signature: 's', value: 'null' },
    { name: 'ExecStartEx', signature: 'a(sasas)', value: [[words[0] ?? '', words, ['no-env-expand']]] },
  ];
}

const BUBBLEWRAP_MISSING: Problem = {
  code: 'host.bubblewrap-missing',
  pointer: '',
  message: 'bubblewrap (bwrap) is not installed where only root can put it.',
  suggestion: 'Install the package "bubblewrap".',
};

const NSS_MISSING: Problem = {
  code: 'host.nss-missing',
  pointer: '',
  message: 'User records in the userdb directory are not resolved: nss-systemd is missing or not configured.',
  suggestion:
    'Install the package "libnss-systemd", and let the lines "passwd:" and "group:" of /etc/nsswitch.conf name "systemd".',
};

function systemdMissing(error: SpawnError): Problem {
  const { code, message, remedy } = error;
  return { code, pointer: '', message, ...(remedy === undefined ? {} : { suggestion: remedy }) };
}

function unexpected(trial: Trial): Problem {
  return {
    code: 'host.call-failed',
    pointer: '',
    message: `A unit of an ordinary user could not be run: ${trial.result}, status ${trial.status}.`,
    suggestion: 'Look for "agent-spawn-fitness" in the journal.',
  };
}

/** Kernel settings that forbid what bubblewrap does, and what to do about each. */
const SETTINGS = [
  {
    path: '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
    blocks: (value: number): boolean => value !== 0,
    suggestion:
      'Give bubblewrap an AppArmor profile with "userns," or set kernel.apparmor_restrict_unprivileged_userns=0.',
  },
  {
    path: '/proc/sys/kernel/unprivileged_userns_clone',
    blocks: (value: number): boolean => value === 0,
    suggestion: 'Set kernel.unprivileged_userns_clone=1.',
  },
  {
    path: '/proc/sys/user/max_user_namespaces',
    blocks: (value: number): boolean => value === 0,
    suggestion: 'Set user.max_user_namespaces to a positive number.',
  },
] as const;

async function usernsBlocked(host: Host, trial: Trial): Promise<Problem> {
  const message = `bubblewrap cannot make a user namespace as an ordinary user (${trial.result}, status ${trial.status})`;
  for (const { path, blocks, suggestion } of SETTINGS) {
    const text = await host.files.read(path, SETTING_BYTES_MAX).catch(() => null);
    const value = text === null ? Number.NaN : Number.parseInt(new TextDecoder().decode(text), 10);
    if (Number.isNaN(value) || !blocks(value)) continue;
    return { code: 'host.userns-blocked', pointer: '', message: `${message}: ${path} is ${value}.`, suggestion };
  }
  const suggestion = 'Look for "agent-spawn-fitness" in the journal for what bubblewrap said.';
  return { code: 'host.userns-blocked', pointer: '', message: `${message}.`, suggestion };
}
