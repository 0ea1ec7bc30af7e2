import { spawnSync } from 'node:child_process';
import { type Dirent, existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A kind of thing that a suite may leave behind. */
export type LeakKind = 'cgroup' | 'file' | 'mount' | 'net namespace' | 'process' | 'setting' | 'unit';

/** What there was at one moment: per kind, a sentence for each thing by a key that stays the same while it exists. */
export type Snapshot = ReadonlyMap<LeakKind, ReadonlyMap<string, string>>;

/** What a snapshot takes in. */
export interface SnapshotOptions {
  /** Only things whose key or sentence matches: for a machine on which others work at the same time. */
  readonly only?: RegExp;
  /** Directories whose contents count as well, with everything below them. */
  readonly directories?: readonly string[];
}

/** Directories that belong to agent-spawn or to systemd, with everything below them. */
const WATCHED_TREES = [
  '/run/agent-egress',
  '/run/agent-spawn',
  '/run/netns',
  '/run/systemd/system',
  '/run/systemd/system.control',
  '/run/systemd/transient',
  '/run/userdb',
  '/var/lib/agent-spawn',
];
/** Directories of everybody, and the names in them that are ours. */
const WATCHED_NAMES: readonly (readonly [directory: string, names: RegExp])[] = [
  ['/dev/shm', /./],
  ['/run', /^agent-spawn/],
  ['/tmp', /^systemd-private-/],
  ['/var/tmp', /^systemd-private-/],
];
/** Settings of the network namespace that suites change: what comes after would not start as it found the host. */
const SETTINGS = ['net/ipv4/ip_forward', 'net/ipv6/conf/all/forwarding'];
/** Kinds of which a disappearance is worth a line too: nobody else has a reason to take them away. */
const KEPT_KINDS: readonly LeakKind[] = ['file', 'mount'];
/** proc_pid_stat(5), PF_KTHREAD of the kernel's sched.h. */
const KERNEL_THREAD = 0x00200000;
/** Enough of a command line to know it by. */
const COMMAND_CHARS_MAX = 200;
const PAUSE_MS = 20;

/** Looks at the processes, mounts, cgroups, network namespaces, watched files and, where systemd runs, active units. */
export function takeSnapshot(options: SnapshotOptions = {}): Snapshot {
  const processes = listProcesses();
  const all = new Map<LeakKind, ReadonlyMap<string, string>>([
    ['cgroup', listCgroups()],
    ['file', listFiles(options.directories ?? [])],
    ['mount', listMounts()],
    ['net namespace', listNetNamespaces(processes)],
    ['process', processes],
    ['setting', listSettings()],
    ['unit', listUnits()],
  ]);
  const { only } = options;
  if (only === undefined) return all;
  return new Map([...all].map(([kind, things]) => [kind, matching(things, only)]));
}

/** What is in `after` and was not in `before`, and which files and mounts are gone, one sentence each. */
export function compareSnapshots(before: Snapshot, after: Snapshot): readonly string[] {
  const differences: string[] = [];
  for (const [kind, things] of after) {
    const known = before.get(kind);
    for (const [key, sentence] of things) {
      if (known?.has(key) !== true) differences.push(`${kind} left behind: ${sentence}`);
    }
    if (!KEPT_KINDS.includes(kind)) continue;
    for (const [key, sentence] of known ?? []) {
      if (!things.has(key)) differences.push(`${kind} gone: ${sentence}`);
    }
  }
  return differences;
}

/**
 * What is left behind, with time for the kernel and systemd to finish what was asked of them: returns as soon as there is
 * no difference, or the differences after `withinMs` milliseconds.
 */
export async function findLeaks(
  before: Snapshot,
  options: SnapshotOptions & { readonly withinMs?: number } = {},
): Promise<readonly string[]> {
  const deadline = performance.now() + (options.withinMs ?? 5000);
  for (;;) {
    const differences = compareSnapshots(before, takeSnapshot(options));
    if (differences.length === 0 || performance.now() > deadline) return differences;
    await delay(PAUSE_MS);
  }
}

function matching(things: ReadonlyMap<string, string>, only: RegExp): ReadonlyMap<string, string> {
  return new Map([...things].filter(([key, sentence]) => only.test(key) || only.test(sentence)));
}

/** Keys: process id and start time. The process that looks is not listed. */
function listProcesses(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (pid === String(process.pid)) continue;
    const stat = readText(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state = '', , , , , , flags = '0'] = fields;
    // A zombie holds nothing; it waits for a parent that is not ours to wake.
    if (stat === '' || state === 'Z' || (Number(flags) & KERNEL_THREAD) !== 0) continue;
    const command = readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim().slice(0, COMMAND_CHARS_MAX);
    const cgroups = readText(`/proc/${pid}/cgroup`).trim().replaceAll('\n', ' ');
    found.set(`${pid}:${fields[19]}`, `${pid} ${command} (${cgroups})`);
  }
  return found;
}

function listNetNamespaces(processes: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [key, sentence] of processes) {
    const namespace = readLink(`/proc/${key.split(':')[0]}/ns/net`);
    if (namespace !== '' && !found.has(namespace)) found.set(namespace, `${namespace} of ${sentence}`);
  }
  return found;
}

function listMounts(): ReadonlyMap<string, string> {
  const lines = readText('/proc/self/mountinfo').split('\n').filter(Boolean);
  return new Map(lines.map((line) => [line, line]));
}

function listCgroups(): ReadonlyMap<string, string> {
  const mounts = readText('/proc/self/mountinfo')
    .split('\n')
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => line.split(' ')[4] ?? '');
  return new Map(mounts.flatMap((mount) => listTree(mount, 'directory')).map((path) => [path, path]));
}

function listFiles(directories: readonly string[]): ReadonlyMap<string, string> {
  const trees = [...WATCHED_TREES, ...directories].flatMap((directory) => listTree(directory, 'any'));
  const names = WATCHED_NAMES.flatMap(([directory, pattern]) =>
    readDirectory(directory)
      .filter(({ name }) => pattern.test(name) && !isOfAnotherBoot(name))
      .map(({ name }) => join(directory, name)),
  );
  return new Map([...trees, ...names].map((path) => [path, path]));
}

/** Hosts share /tmp: below a systemd only the directories of that one count, elsewhere all. */
function isOfAnotherBoot(name: string): boolean {
  if (!name.startsWith('systemd-private-') || !isSystemdRunning()) return false;
  return !name.includes(readText('/proc/sys/kernel/random/boot_id').trim().replaceAll('-', ''));
}

/** As sd_booted(3) tells. */
function isSystemdRunning(): boolean {
  return existsSync('/run/systemd/system');
}

function listSettings(): ReadonlyMap<string, string> {
  const values = SETTINGS.filter((name) => existsSync(`/proc/sys/${name}`)).map((name) => {
    const value = readFileSync(`/proc/sys/${name}`, 'utf8').trim();
    return [`${name}=${value}`, `${name} is ${value}`] as const;
  });
  return new Map(values);
}

/** The active units and the failed ones; none where PID 1 is not systemd. */
function listUnits(): ReadonlyMap<string, string> {
  if (!isSystemdRunning()) return new Map();
  const listed = spawnSync('systemctl', ['list-units', '--full', '--plain', '--no-legend', '--no-pager'], {
    encoding: 'utf8',
  });
  if (listed.status !== 0) throw new Error(`systemctl list-units failed: ${listed.stderr}`);
  const lines = listed.stdout.split('\n').map((line) => line.trim().split(/\s+/, 4));
  return new Map(
    lines.filter(([unit = '']) => unit !== '').map(([unit = '', , active, sub]) => [unit, `${unit} ${active} ${sub}`]),
  );
}

/** Paths below a directory, with itself; none when it does not exist. Links are not followed. */
function listTree(directory: string, kind: 'any' | 'directory'): readonly string[] {
  if (lstatSync(directory, { throwIfNoEntry: false }) === undefined) return [];
  const below = readDirectory(directory).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return listTree(path, kind);
    return kind === 'any' ? [path] : [];
  });
  return [directory, ...below];
}

/** Everything that is read may be gone in the next moment: it then counts as empty. */
function readDirectory(directory: string): readonly Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
