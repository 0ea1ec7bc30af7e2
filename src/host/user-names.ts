import { PROBE_OUTPUT_BYTES_MAX, USER_NAMES_MAX } from '../base/limits.ts';
import type { HostClock, HostFiles } from './host.ts';
import { probeCommand } from './spawn.ts';
import { findTrustedProgram } from './trusted-program.ts';

/** A user as NSS knows it. */
export interface UserName {
  readonly name: string;
  /** Primary group. */
  readonly gid: number;
}

/** How long an answer is believed, milliseconds: accounts change by hand, starts come in bursts. */
const BELIEVED_MS = 60_000;

/** getent(1) says so when the database has no such key. */
const NOT_FOUND_STATUS = 2;

/**
 * Looks up users by uid. `/etc/passwd` is asked first, since reading it is a
 * hundred times cheaper than a process; everybody else's database (userdb,
 * LDAP) is asked through getent(1), which cannot stall the daemon.
 */
export class UserNames {
  readonly #files: Pick<HostFiles, 'read'>;
  readonly #clock: HostClock;
  readonly #tools: readonly string[];
  readonly #known = new Map<number, { readonly user: Promise<UserName | null>; readonly untilMs: number }>();

  constructor(files: Pick<HostFiles, 'read'>, clock: HostClock, tools: readonly string[]) {
    this.#files = files;
    this.#clock = clock;
    this.#tools = tools;
  }

  /** The user of a uid, or null when nobody has it. Throws `host.call-failed`. */
  async find(uid: number): Promise<UserName | null> {
    const known = this.#known.get(uid);
    if (known !== undefined && known.untilMs > this.#clock.now()) return known.user;
    const user = this.#lookUp(uid);
    this.#known.delete(uid);
    this.#known.set(uid, { user, untilMs: this.#clock.now() + BELIEVED_MS });
    const [oldest] = this.#known.keys();
    if (this.#known.size > USER_NAMES_MAX && oldest !== undefined) this.#known.delete(oldest);
    user.catch(() => this.#known.delete(uid));
    return user;
  }

  async #lookUp(uid: number): Promise<UserName | null> {
    const passwd = await this.#files.read('/etc/passwd', PROBE_OUTPUT_BYTES_MAX).catch(() => null);
    const local = passwd === null ? null : parsePasswd(new TextDecoder().decode(passwd), uid);
    if (local !== null) return local;
    const getent = await findTrustedProgram('getent', this.#tools);
    if (getent === null) return null;
    const result = await probeCommand(getent, ['passwd', '--', String(uid)], this.#tools);
    return result.status === NOT_FOUND_STATUS ? null : parsePasswd(result.stdout, uid);
  }
}

/** The first user with this uid in text of passwd(5), or null. */
export function parsePasswd(text: string, uid: number): UserName | null {
  for (const line of text.split('\n')) {
    const [name, , fieldUid, fieldGid] = line.split(':');
    if (name === undefined || name === '' || fieldUid !== String(uid) || !/^\d+$/.test(fieldGid ?? '')) continue;
    return { name, gid: Number(fieldGid) };
  }
  return null;
}
