import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { SpawnError } from '../base/errors.ts';

/** Where distributions keep the systemd binary. */
const SYSTEMD_BINARIES = ['/usr/lib/systemd/systemd', '/lib/systemd/systemd'];
const BUS_DAEMONS = ['/usr/bin/dbus-daemon', '/usr/bin/dbus-broker'];
const NSS_MODULES = ['/usr/lib', '/lib', '/usr/lib64', '/lib64'];

/** Programs a private host calls, and the Debian package that brings each. */
const PACKAGES = {
  env: 'coreutils',
  journalctl: 'systemd',
  mount: 'mount',
  nice: 'coreutils',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  'systemd-run': 'systemd',
  unshare: 'util-linux',
} as const;

/** Where a machine has each program, absolute; `systemd` is the binary that becomes PID 1. */
export type Programs = Readonly<Record<keyof typeof PACKAGES | 'systemd', string>>;

/**
 * Finds what a private host is made of. Fails with `private-host.unfit`, naming everything that is missing.
 * @param searchPath the caller's PATH
 */
export function findPrograms(searchPath: string): Programs {
  if (process.getuid?.() !== 0) {
    throw new SpawnError('private-host.unfit', 'a private host needs root: it makes namespaces, mounts and cgroups', {
      remedy: 'run the same command with sudo',
    });
  }
  const directories = [...searchPath.split(delimiter), '/usr/sbin', '/usr/bin', '/sbin', '/bin'].filter(isAbsolute);
  const missing: { readonly name: string; readonly from: string }[] = [];
  const found: Record<string, string> = {};
  for (const [name, from] of Object.entries(PACKAGES)) {
    const path = directories.map((directory) => join(directory, name)).find(isExecutable);
    if (path === undefined) missing.push({ name, from });
    else found[name] = path;
  }
  const systemd = SYSTEMD_BINARIES.find(isExecutable);
  if (systemd === undefined) missing.push({ name: 'systemd', from: 'systemd' });
  else found['systemd'] = systemd;
  if (!BUS_DAEMONS.some(isExecutable)) missing.push({ name: 'dbus-daemon or dbus-broker', from: 'dbus' });
  if (!hasNssSystemd()) missing.push({ name: 'libnss_systemd.so.2', from: 'libnss-systemd' });
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(', ');
    const packages = [...new Set(missing.map(({ from }) => from))].join(' ');
    throw new SpawnError('private-host.unfit', `not installed: ${names}`, { remedy: `apt-get install ${packages}` });
  }
  return found as Programs;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function hasNssSystemd(): boolean {
  const machine = { x64: 'x86_64', arm64: 'aarch64' }[process.arch as string] ?? process.arch;
  const directories = NSS_MODULES.flatMap((directory) => [directory, join(directory, `${machine}-linux-gnu`)]);
  return directories.some((directory) => existsSync(join(directory, 'libnss_systemd.so.2')));
}
