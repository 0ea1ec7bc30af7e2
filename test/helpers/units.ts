import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { succeed } from './agents.ts';
import { inTime, runCommand } from './commands.ts';

/** The unit of an agent. */
export function unitOf(id: string): string {
  return `sandboxed-agent@${id}.service`;
}

/** Properties of a unit as `systemctl show` prints them. */
export async function showUnit(unit: string, ...names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const wanted = names.length === 0 ? [] : [`--property=${names.join(',')}`];
  const { stdout } = await succeed(runCommand(['systemctl', 'show', unit, ...wanted]));
  return new Map(
    stdout
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

/** One property of a unit. */
export async function showProperty(unit: string, name: string): Promise<string> {
  return (await showUnit(unit, name)).get(name) ?? '';
}

/** Asks systemd until a property of a unit has a value. */
export async function awaitProperty(unit: string, name: string, value: string): Promise<void> {
  let isLate = false;
  const settled = async (): Promise<void> => {
    while (!isLate && (await showProperty(unit, name)) !== value);
  };
  await inTime(settled(), `${name}=${value} of ${unit}`, undefined, () => {
    isLate = true;
  });
}

/** Whether this host has the controllers in cgroup version 2. */
export function isUnified(): boolean {
  return existsSync('/sys/fs/cgroup/cgroup.controllers');
}

/** A file of a unit's cgroup: `v2` names it on a unified host, `v1` on one with a hierarchy for each controller. */
export interface CgroupFile {
  readonly controller: string;
  readonly v1: string;
  readonly v2: string;
}

/** Path of a file of a unit's cgroup; the unit must be running. */
export async function cgroupPath(unit: string, file: CgroupFile): Promise<string> {
  const group = await showProperty(unit, 'ControlGroup');
  if (isUnified()) return join('/sys/fs/cgroup', group, file.v2);
  return join('/sys/fs/cgroup', file.controller, group, file.v1);
}

/** Content of a file of a unit's cgroup, without the line feed at its end. */
export async function readCgroup(unit: string, file: CgroupFile): Promise<string> {
  return readFileSync(await cgroupPath(unit, file), 'utf8').trim();
}

/** Process ids of a uid, on this host. */
export function processesOf(uid: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => uidOf(pid) === uid)
    .map(Number);
}

function uidOf(pid: string): number | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return /^State:\s+Z/m.test(status) ? null : Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]);
  } catch {
    return null;
  }
}
