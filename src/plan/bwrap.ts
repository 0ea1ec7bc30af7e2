import { assert } from '../base/assert.ts';
import { isWithin } from '../base/paths.ts';
import type { EnvironmentVariable } from './environment.ts';
import { type Mount, WORKSPACE } from './mount.ts';

/** Everything bubblewrap is told. */
export interface BwrapInput {
  /** Absolute path of bubblewrap. */
  readonly bwrapPath: string;
  readonly hostname: string;
  readonly mounts: readonly Mount[];
  readonly environment: readonly EnvironmentVariable[];
  /** Descriptor with further options, which are in nobody's argument vector; null for none. */
  readonly optionsDescriptor: number | null;
  /** The agent's command; the first word is a path or is found by `PATH` inside. */
  readonly command: readonly string[];
}

/**
 * Options every sandbox starts with. `--share-net` keeps the unit's own
 * network namespace, which PID 1 made empty. `--die-with-parent` is left out
 * on purpose: systemd's cgroup kill ends everything, and without it an agent
 * that is asked to stop gets SIGTERM and its time to finish, since bubblewrap's
 * monitor dies of the same SIGTERM at once (containers/bubblewrap#369).
 */
const NAMESPACE_OPTIONS = [
  '--unshare-all',
  '--share-net',
  '--unshare-user',
  '--disable-userns',
  '--cap-drop',
  'ALL',
  '--new-session',
  '--clearenv',
];

/** Long options a plan uses; a host whose bubblewrap lacks one cannot run it. */
export const BWRAP_OPTIONS_NEEDED: readonly string[] = [
  ...NAMESPACE_OPTIONS.filter((option) => option.startsWith('--')),
  '--hostname',
  '--setenv',
  '--args',
  '--size',
  '--tmpfs',
  '--ro-bind',
  '--bind',
  '--symlink',
  '--dir',
  '--proc',
  '--dev',
  '--remount-ro',
  '--chdir',
];

/** The argument vector, `argv[0]` included. */
export function renderBwrap(input: BwrapInput): readonly string[] {
  assertMountOrder(input.mounts);
  return [
    input.bwrapPath,
    ...NAMESPACE_OPTIONS,
    '--hostname',
    input.hostname,
    ...input.environment.flatMap(({ name, value }) => ['--setenv', name, value]),
    ...(input.optionsDescriptor === null ? [] : ['--args', String(input.optionsDescriptor)]),
    ...input.mounts.flatMap(mountArguments),
    '--chdir',
    WORKSPACE,
    '--',
    ...input.command,
  ];
}

/** bubblewrap's words for one mount. */
function mountArguments(mount: Mount): readonly string[] {
  switch (mount.kind) {
    case 'tmpfs':
      return ['--size', String(mount.sizeBytes), '--tmpfs', mount.destination];
    case 'ro-bind':
    case 'bind':
      return [`--${mount.kind}`, mount.source, mount.destination];
    case 'symlink':
      return ['--symlink', mount.target, mount.destination];
    case 'dir':
    case 'proc':
    case 'dev':
    case 'remount-ro':
      return [`--${mount.kind}`, mount.destination];
  }
}

/**
 * The rules that keep a hostile workspace from steering bubblewrap
 * (CVE-2026-87766): nothing is mounted at or below an agent-writable bind, and
 * the home and the workspace are bound after everything else.
 */
function assertMountOrder(mounts: readonly Mount[]): void {
  assert(mounts[0]?.kind === 'tmpfs' && mounts[0].destination === '/', 'the root is a tmpfs of its own');
  mounts.forEach((mount, index) => {
    if (mount.kind !== 'bind') return;
    const later = mounts.slice(index + 1);
    assert(
      later.every((other) => other.kind === 'remount-ro' || other.kind === 'bind'),
      'nothing but writable binds is mounted after a writable bind',
    );
    const nested = mounts.filter((other) => other !== mount && isWithin(other.destination, mount.destination));
    assert(nested.length === 0, 'nothing is mounted below a writable bind');
  });
  assert(mounts.at(-1)?.kind === 'remount-ro', 'the root ends read-only');
}
