import { ACCOUNT_FILE_BYTES_MAX } from '../base/limits.ts';
import type { UserClaims } from '../plan/facts.ts';
import type { HostFiles } from './host.ts';

/**
 * What `/etc/passwd` and `/etc/group` say about a user's name. They are asked
 * before userdb, so that a record there would not be ours to decide; what other
 * databases say (LDAP) is not asked, because each would cost a process.
 */
export async function probeUserClaims(files: Pick<HostFiles, 'read'>, user: string): Promise<UserClaims> {
  const [users, groups] = await Promise.all([readFields(files, '/etc/passwd'), readFields(files, '/etc/group')]);
  return {
    isUser: users.some(([name]) => name === user),
    groups: groups.filter(([, , , members = '']) => members.split(',').includes(user)).map(([name = '']) => name),
  };
}

/** Fields of each line of passwd(5) or group(5); none when the file does not exist. */
async function readFields(files: Pick<HostFiles, 'read'>, path: string): Promise<readonly (readonly string[])[]> {
  const bytes = await files.read(path, ACCOUNT_FILE_BYTES_MAX);
  if (bytes === null) return [];
  return new TextDecoder()
    .decode(bytes)
    .split('\n')
    .map((line) => line.trim().split(':'));
}
