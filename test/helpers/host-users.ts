import { chownSync, mkdirSync, statSync } from 'node:fs';
import { succeed } from './agents.ts';
import { runCommand } from './commands.ts';

/** An ordinary user of this host. */
export interface HostUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Makes a user with a group of its own and one more group, both gone with {@link removeUser}. */
export async function addUser(name: string, group: string): Promise<HostUser> {
  await succeed(runCommand(['groupadd', group]));
  await succeed(runCommand(['useradd', '--no-create-home', '--user-group', '--groups', group, name]));
  const { stdout } = await succeed(runCommand(['getent', 'passwd', name]));
  const [, , uid, gid] = stdout.split(':');
  return { name, uid: Number(uid), gid: Number(gid) };
}

/** Removes what {@link addUser} made. */
export async function removeUser(name: string, group: string): Promise<void> {
  await runCommand(['userdel', name]);
  await runCommand(['groupdel', group]);
}

/** Runs a command as a user with all of its groups. */
export function asUser(user: HostUser, ...argv: readonly string[]): readonly string[] {
  return ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--init-groups', '--', ...argv];
}

/** Makes a directory that belongs to a user. */
export function makeDirectoryOf(user: HostUser, path: string, mode = 0o755): void {
  mkdirSync(path, { mode });
  chownSync(path, user.uid, user.gid);
}

/** Owner of a path. */
export function ownerOf(path: string): number {
  return statSync(path).uid;
}
