import { parentOf } from '../base/paths.ts';
import type { SystemFacts } from './facts.ts';
import type { ShownFile } from './generated-files.ts';
import type { HomePlan } from './home.ts';
import { HOME, type Mount, WORKSPACE } from './mount.ts';

/** A path of the host shown read-only at the same place inside. */
export interface ReadOnlyBind {
  /** Where bubblewrap finds it: the path itself, or where PID 1 bound it for a uid that could not reach it. */
  readonly source: string;
  readonly destination: string;
}

/** Inputs of the file system view. */
export interface MountsInput {
  readonly system: SystemFacts;
  /** Run directory of the agent, which holds the made-up files. */
  readonly runDirectory: string;
  readonly files: readonly ShownFile[];
  readonly binds: readonly ReadOnlyBind[];
  readonly workspace: string;
  readonly home: Pick<HomePlan, 'path' | 'directory'>;
  /** Writable directories of the agent's program. */
  readonly directories: readonly string[];
  /** Size of each of `/tmp`, `/dev/shm`, those directories and a home directory that is gone with the run, bytes. */
  readonly tmpBytes: number;
}

/** Size of the root: it holds mount points only and is read-only once it is built, bytes. */
const ROOT_BYTES = 1024 * 1024;

/** The ordered mount table. Everything not named here does not exist inside. */
export function planMounts(input: MountsInput): readonly Mount[] {
  const { system, files, binds, runDirectory, workspace, tmpBytes } = input;
  return [
    { kind: 'tmpfs', destination: '/', sizeBytes: ROOT_BYTES },
    ...system.roots.map(
      (root): Mount =>
        root.kind === 'symlink'
          ? { kind: 'symlink', target: root.target, destination: root.path }
          : { kind: 'ro-bind', source: root.path, destination: root.path },
    ),
    // Named, since bubblewrap makes the missing parent of a bound file for its owner only.
    { kind: 'dir', destination: '/etc' },
    ...system.etc.map(
      (entry): Mount =>
        entry.kind === 'symlink'
          ? { kind: 'symlink', target: entry.target, destination: entry.path }
          : { kind: 'ro-bind', source: entry.source, destination: entry.path },
    ),
    { kind: 'proc', destination: '/proc' },
    // The agent's uid owns its pid and ipc namespaces, and with them some of the settings there.
    { kind: 'ro-bind', source: '/proc/sys', destination: '/proc/sys' },
    { kind: 'dev', destination: '/dev' },
    { kind: 'tmpfs', destination: '/dev/shm', sizeBytes: tmpBytes },
    { kind: 'remount-ro', destination: '/dev' },
    { kind: 'tmpfs', destination: '/tmp', sizeBytes: tmpBytes },
    ...temporaryHome(input),
    { kind: 'dir', destination: '/var' },
    { kind: 'symlink', target: '../tmp', destination: '/var/tmp' },
    ...input.directories.map((path): Mount => ({ kind: 'tmpfs', destination: path, sizeBytes: tmpBytes })),
    ...fileMounts(files, runDirectory),
    ...binds.map((bind): Mount => ({ kind: 'ro-bind', source: bind.source, destination: bind.destination })),
    ...privateHome(input),
    { kind: 'bind', source: workspace, destination: WORKSPACE },
    { kind: 'remount-ro', destination: '/' },
  ];
}

/** The made-up files, their directories first. */
function fileMounts(files: readonly ShownFile[], runDirectory: string): readonly Mount[] {
  const parents = new Set(files.map(({ path }) => parentOf(path)).filter((path) => path !== '/etc'));
  return [
    ...[...parents].map((path): Mount => ({ kind: 'dir', destination: path })),
    ...files.map(
      ({ name, path }): Mount => ({ kind: 'ro-bind', source: `${runDirectory}/${name}`, destination: path }),
    ),
  ];
}

function temporaryHome({ home, tmpBytes }: MountsInput): readonly Mount[] {
  if (home.path !== HOME || home.directory !== null) return [];
  return [{ kind: 'tmpfs', destination: HOME, sizeBytes: tmpBytes }];
}

/** After everything else, as the workspace: the agent can write there, and has had time to. */
function privateHome({ home }: MountsInput): readonly Mount[] {
  return home.directory === null ? [] : [{ kind: 'bind', source: home.directory, destination: home.path }];
}
