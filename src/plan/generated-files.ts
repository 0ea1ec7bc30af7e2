import type { Identity } from './access.ts';
import type { PresetFile } from './presets/preset.ts';

/** A made-up file in the agent's run directory. */
export interface GeneratedFile {
  readonly name: string;
  readonly content: string;
}

/** One that the agent sees, read-only. */
export interface ShownFile extends GeneratedFile {
  /** Absolute path inside. */
  readonly path: string;
}

/** What the made-up files say about the agent. */
export interface GeneratedFilesInput {
  readonly id: string;
  readonly user: string;
  readonly identity: Identity;
  readonly home: string;
  /** Name servers that the agent reaches by itself. */
  readonly resolvers: readonly string[];
  /** Configuration of the agent's program. */
  readonly preset: readonly PresetFile[];
}

/**
 * The `/etc` files an ordinary program expects, with nothing of the host's in
 * them: the agent, root and nobody are all the users there are, and the only
 * address is the loopback device's.
 */
export function planGeneratedFiles(input: GeneratedFilesInput): readonly ShownFile[] {
  const system = systemFiles(input).map((file): ShownFile => ({ ...file, path: `/etc/${file.name}` }));
  return [...system, ...input.preset];
}

function systemFiles(input: GeneratedFilesInput): readonly GeneratedFile[] {
  const { resolvers } = input;
  const { uid, gid } = input.identity;
  const group = gid === 65534 ? '' : `${input.user}:x:${gid}:\n`;
  return [
    { name: 'group', content: `root:x:0:\n${group}nogroup:x:65534:\n` },
    { name: 'hosts', content: `127.0.0.1 localhost ${input.id}\n::1 localhost ip6-localhost\n` },
    {
      name: 'nsswitch.conf',
      content: `passwd: files\ngroup: files\nshadow: files\nhosts: files${resolvers.length === 0 ? '' : ' dns'}\n`,
    },
    {
      name: 'passwd',
      content:
        `root:x:0:0:root:/:/usr/sbin/nologin\n` +
        `${input.user}:x:${uid}:${gid}:agent ${input.id}:${input.home}:/bin/sh\n` +
        `nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n`,
    },
    { name: 'resolv.conf', content: resolverText(resolvers) },
  ];
}

function resolverText(resolvers: readonly string[]): string {
  if (resolvers.length === 0) return '# No resolver: this sandbox looks up no names itself.\n';
  return resolvers.map((address) => `nameserver ${address}\n`).join('');
}
