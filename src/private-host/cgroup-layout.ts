/** How a machine arranges its cgroups: all in version 2, all in version 1, or controllers in 1 beside a bare 2. */
export type CgroupLayout = 'v2' | 'hybrid' | 'v1';

/** One hierarchy the machine has mounted, seen from a process that lives in it. */
export interface CgroupHierarchy {
  /** File system type to mount it with. */
  readonly type: 'cgroup' | 'cgroup2';
  /** Mount options that select it, or `-` for none. */
  readonly options: string;
  /** Name of its directory below /sys/fs/cgroup, or `.` when it is mounted there itself. */
  readonly name: string;
  /** Where the machine mounted it. */
  readonly mountPoint: string;
  /** The process's own cgroup in it, below `mountPoint`. */
  readonly ownDirectory: string;
}

/** The hierarchies a private host uses, and what their sum is called. */
export interface CgroupHierarchies {
  readonly layout: CgroupLayout;
  readonly hierarchies: readonly CgroupHierarchy[];
}

interface CgroupMount {
  readonly type: 'cgroup' | 'cgroup2';
  readonly root: string;
  readonly mountPoint: string;
  readonly superOptions: readonly string[];
}

/**
 * Derives the hierarchies from the texts of /proc/self/mountinfo (proc_pid_mountinfo(5)) and /proc/self/cgroup
 * (cgroups(7)). Hierarchies that are mounted nowhere, or only above the process's own cgroup, are left out.
 */
export function parseCgroups(mountinfo: string, membership: string): CgroupHierarchies {
  const mounts = parseCgroupMounts(mountinfo);
  const found: CgroupHierarchy[] = [];
  for (const line of membership.split('\n')) {
    const match = /^(\d+):([^:]*):(\/.*)$/.exec(line);
    if (match === null) continue;
    const hierarchy = locateHierarchy(mounts, match[2] ?? '', match[3] ?? '/');
    if (hierarchy !== null) found.push(hierarchy);
  }
  const hasControllers = found.some(({ type, options }) => type === 'cgroup' && !options.includes('name='));
  const unified = found.find(({ type }) => type === 'cgroup2');
  if (!hasControllers && unified !== undefined) {
    return { layout: 'v2', hierarchies: [{ ...unified, name: '.' }] };
  }
  return { layout: unified === undefined ? 'v1' : 'hybrid', hierarchies: found };
}

function parseCgroupMounts(mountinfo: string): readonly CgroupMount[] {
  const mounts: CgroupMount[] = [];
  for (const line of mountinfo.split('\n')) {
    const [head = '', tail = ''] = line.split(' - ');
    const [, , , root = '', mountPoint = ''] = head.split(' ');
    const [type = '', , superOptions = ''] = tail.split(' ');
    if (type !== 'cgroup' && type !== 'cgroup2') continue;
    mounts.push({
      type,
      root: decodeOctal(root),
      mountPoint: decodeOctal(mountPoint),
      superOptions: superOptions.split(','),
    });
  }
  return mounts;
}

function locateHierarchy(mounts: readonly CgroupMount[], controllers: string, path: string): CgroupHierarchy | null {
  const selectors = controllers === '' ? [] : controllers.split(',');
  const type = selectors.length === 0 ? 'cgroup2' : 'cgroup';
  for (const mount of mounts) {
    if (mount.type !== type || !selectors.every((selector) => mount.superOptions.includes(selector))) continue;
    const relative = relativeTo(mount.root, path);
    if (relative === null) continue;
    return {
      type,
      options: mountOptions(mount, selectors),
      name: type === 'cgroup2' ? 'unified' : controllers.replace(/^name=/, ''),
      mountPoint: mount.mountPoint,
      ownDirectory: mount.mountPoint + relative,
    };
  }
  return null;
}

/** Flags of the superblock are repeated: the kernel complains in its log about a second mount without them. */
function mountOptions(mount: CgroupMount, selectors: readonly string[]): string {
  if (mount.type === 'cgroup2') return '-';
  const none = selectors.some((selector) => selector.startsWith('name=')) ? ['none'] : [];
  const flags = mount.superOptions.filter((option) => option === 'xattr' || option === 'noprefix');
  return [...none, ...flags, ...selectors].join(',');
}

/** `path` below `root` with a leading slash, the empty string when they are equal, null when it lies elsewhere. */
function relativeTo(root: string, path: string): string | null {
  if (path.includes('/..')) return null;
  if (root === '/') return path === '/' ? '' : path;
  if (path === root) return '';
  return path.startsWith(`${root}/`) ? path.slice(root.length) : null;
}

/** The kernel writes blanks and backslashes of paths as octal numbers. */
function decodeOctal(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
