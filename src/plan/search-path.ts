import type { SystemFacts } from './facts.ts';

/** Search path of every sandbox, the usual order of a login shell. */
export const ORDINARY_DIRECTORIES: readonly string[] = [
  ...['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'],
];

/** Where NixOS links to the programs of the system that runs; the link itself is not shown, nothing of `/run` is. */
export const PROFILE_PROGRAMS: string = '/run/current-system/sw/bin';

/** The search path inside: where the host is a NixOS, the directory of the store that its profile is comes last. */
export function searchPath({ profile }: Pick<SystemFacts, 'profile'>): readonly string[] {
  return [...ORDINARY_DIRECTORIES, ...(profile === null ? [] : [`${profile.directory}/bin`])];
}
