import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SpawnError } from '../base/errors.ts';
import { type CgroupHierarchies, type CgroupHierarchy, parseCgroups } from './cgroup-layout.ts';

/** Controllers that the limits of an agent need (systemd.resource-control(5)). */
const NEEDED_CONTROLLERS = ['cpu', 'memory', 'pids'];
/** Controllers that are used where the machine has them. */
const WANTED_CONTROLLERS = [...NEEDED_CONTROLLERS, 'io'];

/** The cgroup that is the root of a private host in one hierarchy. */
export interface HostCgroup {
  readonly hierarchy: CgroupHierarchy;
  /** Below the machine's own mount of the hierarchy. */
  readonly directory: string;
}

/** Asks the kernel how this process's cgroups are arranged. Fails with `private-host.unfit` where limits cannot bite. */
export function probeCgroups(): CgroupHierarchies {
  const found = parseCgroups(readFileSync('/proc/self/mountinfo', 'utf8'), readFileSync('/proc/self/cgroup', 'utf8'));
  if (found.hierarchies.length === 0) {
    throw new SpawnError('private-host.unfit', 'no cgroup hierarchy is mounted that holds this process', {
      remedy: 'mount -t cgroup2 cgroup2 /sys/fs/cgroup, or start the container with its cgroups visible',
    });
  }
  if (!found.hierarchies.some(({ type, options }) => type === 'cgroup2' || options.includes('name=systemd'))) {
    throw new SpawnError('private-host.unfit', 'no cgroup hierarchy is mounted that systemd can keep its units in', {
      remedy: 'mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified',
    });
  }
  return found;
}

/**
 * Makes one child cgroup per hierarchy, empty and ready for processes. What is made is noted in `scratch` before it is
 * made, so that the janitor finds it whatever happens here.
 */
export function createCgroups(found: CgroupHierarchies, name: string, scratch: string): readonly HostCgroup[] {
  const parents = found.hierarchies.map((hierarchy) => ({
    hierarchy,
    parent: found.layout === 'v2' ? unifiedParent(hierarchy, scratch) : hierarchy.ownDirectory,
  }));
  const lines = parents.map(
    ({ hierarchy: { type, options, name: place }, parent }) => `${type} ${options} ${place} ${join(parent, name)}\n`,
  );
  writeFileSync(join(scratch, 'cgroups'), lines.join(''));
  for (const { parent } of parents) createCgroup(parent, join(parent, name));
  return parents.map(({ hierarchy, parent }) => ({ hierarchy, directory: join(parent, name) }));
}

/**
 * The files that take the calling thread into a booted host and back. Version 2 wants a cgroup without children; that
 * of PID 1 is always there.
 */
export function visits(cgroups: readonly HostCgroup[]): readonly { readonly visit: string; readonly home: string }[] {
  return cgroups.map(({ hierarchy: { type, ownDirectory }, directory }) =>
    type === 'cgroup2'
      ? { visit: join(directory, 'init.scope/cgroup.procs'), home: join(ownDirectory, 'cgroup.procs') }
      : { visit: join(directory, 'tasks'), home: join(ownDirectory, 'tasks') },
  );
}

function createCgroup(parent: string, directory: string): void {
  unlessRefused(`cannot make a cgroup in ${parent}`, () => mkdirSync(directory));
  // A new cgroup of a version 1 cpuset takes no process before it has processors and memory nodes.
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (existsSync(join(directory, file)) && existsSync(join(parent, file))) {
      writeFileSync(join(directory, file), readFileSync(join(parent, file)));
    }
  }
}

/**
 * The nearest cgroup whose children have the controllers, or else the nearest that can be made to hand them out: the
 * kernel lets a cgroup do so that holds no process itself, and the root (cgroups(7), "no internal processes").
 */
function unifiedParent({ mountPoint, ownDirectory }: CgroupHierarchy, scratch: string): string {
  const ancestors = [ownDirectory];
  for (let directory = ownDirectory; directory !== mountPoint; ) {
    directory = dirname(directory);
    ancestors.push(directory);
  }
  const available = readWords(join(mountPoint, 'cgroup.controllers'));
  const wanted = WANTED_CONTROLLERS.filter((controller) => available.includes(controller));
  if (NEEDED_CONTROLLERS.every((controller) => wanted.includes(controller))) {
    for (const controllers of [wanted, NEEDED_CONTROLLERS]) {
      const ready = ancestors.find((directory) => missingControllers(directory, controllers).length === 0);
      if (ready !== undefined) return ready;
    }
    const willing = ancestors.find((directory) => canEnable(directory, missingControllers(directory, wanted)));
    if (willing !== undefined) {
      enableControllers(willing, missingControllers(willing, wanted), scratch);
      return willing;
    }
  }
  throw new SpawnError('private-host.unfit', `no cgroup above ${ownDirectory} hands out ${NEEDED_CONTROLLERS}`, {
    remedy: 'start the container with --privileged --cgroupns=host, or use a machine of its own',
  });
}

function missingControllers(directory: string, wanted: readonly string[]): readonly string[] {
  const enabled = readWords(join(directory, 'cgroup.subtree_control'));
  return wanted.filter((controller) => !enabled.includes(controller));
}

function canEnable(directory: string, missing: readonly string[]): boolean {
  const offered = readWords(join(directory, 'cgroup.controllers'));
  if (!missing.every((controller) => offered.includes(controller))) return false;
  const isRoot = !existsSync(join(directory, 'cgroup.type'));
  return isRoot || readWords(join(directory, 'cgroup.procs')).length === 0;
}

/** The janitor switches off again what nobody else has come to use. */
function enableControllers(directory: string, missing: readonly string[], scratch: string): void {
  const file = join(directory, 'cgroup.subtree_control');
  for (const controller of missing) {
    appendFileSync(join(scratch, 'enabled'), `${file} ${controller}\n`);
    unlessRefused(`cannot make a cgroup in ${directory} with ${controller}`, () =>
      writeFileSync(file, `+${controller}`),
    );
  }
}

function unlessRefused(failure: string, change: () => void): void {
  try {
    change();
  } catch (error) {
    throw new SpawnError('private-host.unfit', `${failure}: ${(error as Error).message}`, {
      remedy: 'the private host needs root and a writable /sys/fs/cgroup (for a container: --privileged)',
      cause: error,
    });
  }
}

function readWords(file: string): readonly string[] {
  return readFileSync(file, 'utf8').split(/\s+/).filter(Boolean);
}
