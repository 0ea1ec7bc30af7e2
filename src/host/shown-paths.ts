import { lstat, readlink, realpath } from 'node:fs/promises';
import type { EtcEntry, ProfileFacts, RootEntry } from '../plan/facts.ts';
import { unless } from './call-failed.ts';
import { NIXOS_SYSTEM } from './generation.ts';

/** Top-level paths a sandbox may see, in the order they are mounted. */
const ROOTS = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/nix/store'];

/**
 * What a sandbox may see of `/etc` besides the files made up for it: nothing
 * that names users, hosts or secrets. Of `/etc/pki` only the certificates; its
 * other directories hold private keys.
 */
const ETC = [
  '/etc/alternatives',
  '/etc/ca-certificates',
  '/etc/ca-certificates.conf',
  '/etc/ld.so.cache',
  '/etc/localtime',
  '/etc/pki/ca-trust/extracted',
  '/etc/pki/tls/cert.pem',
  '/etc/pki/tls/certs',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
  '/etc/ssl/certs',
  '/etc/zoneinfo',
];

/** Certificate bundles by distribution, the list of Go's crypto/x509 (root_linux.go) with NixOS's in front of the rest. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/ssl/certs/ca-bundle.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** NixOS keeps the real `/etc` here and fills the other one with links to it (nixos/modules/system/etc). */
const NIXOS_ETC = '/etc/static';

/** Errors that mean "nothing is there". */
const ABSENT = ['ENOENT', 'ENOTDIR', 'ELOOP'];

/** The top-level entries this host has. */
export async function probeRoots(): Promise<readonly RootEntry[]> {
  const roots = await Promise.all(ROOTS.map(probeRoot));
  return roots.filter((root) => root !== null);
}

/** The entries of the `/etc` allowlist this host has. */
export async function probeEtc(roots: readonly RootEntry[]): Promise<readonly EtcEntry[]> {
  const entries = await Promise.all(ETC.map((path) => probeEtcEntry(path, roots)));
  return entries.filter((entry) => entry !== null);
}

/** The certificate bundle by the name it has in a sandbox that shows these paths, or null. */
export async function probeBundle(roots: readonly RootEntry[], etc: readonly EtcEntry[]): Promise<string | null> {
  for (const path of BUNDLES) {
    const real = await unless(ABSENT, realpath(path));
    if (real === null) continue;
    const isNamed = etc.some((entry) => isBelow(path, entry.path));
    const isReached =
      isInRoots(real, roots) || etc.some((entry) => entry.kind === 'bind' && isBelow(real, entry.source));
    if (isNamed && isReached) return path;
    if (isInRoots(real, roots)) return real;
  }
  return null;
}

/** The profile of a NixOS whose store is shown, or null. */
export async function probeProfile(roots: readonly RootEntry[]): Promise<ProfileFacts | null> {
  const directory = await unless(ABSENT, realpath(`${NIXOS_SYSTEM}/sw`));
  if (directory === null || !isInRoots(directory, roots)) return null;
  const archive = await unless(ABSENT, realpath(`${directory}/lib/locale/locale-archive`));
  return { directory, localeArchive: archive !== null && isInRoots(archive, roots) ? archive : null };
}

async function probeRoot(path: string): Promise<RootEntry | null> {
  const stat = await unless(ABSENT, lstat(path));
  if (stat === null) return null;
  if (stat.isSymbolicLink()) return { kind: 'symlink', path, target: await readlink(path) };
  return stat.isDirectory() ? { kind: 'directory', path } : null;
}

async function probeEtcEntry(path: string, roots: readonly RootEntry[]): Promise<EtcEntry | null> {
  const fixed = await unless(ABSENT, realpath(path.replace('/etc', NIXOS_ETC)));
  if (fixed !== null && isInRoots(fixed, roots)) return { kind: 'symlink', path, target: fixed };
  const real = await unless(ABSENT, realpath(path));
  if (real === null) return null;
  if (real !== path && isInRoots(real, roots)) return { kind: 'symlink', path, target: real };
  return { kind: 'bind', path, source: real };
}

function isInRoots(path: string, roots: readonly RootEntry[]): boolean {
  return roots.some((root) => root.kind === 'directory' && isBelow(path, root.path));
}

function isBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}
