/**
 * What a plan needs to know about the host. The planner states its questions
 * as a {@link FactQuery}, the host room answers once with plain data, and
 * everything after that is pure.
 */

/** The questions one card raises. */
export interface FactQuery {
  /** Workspace path of the card. */
  readonly workspace: string;
  /** Extra read-only binds of the card. */
  readonly binds: readonly string[];
  /** Paths of Unix sockets that ports are published at. */
  readonly sockets: readonly string[];
  /** Name of the user the agent runs as. */
  readonly user: string;
  /** The program to find: first word of the agent's command; null when it lies in the workspace. */
  readonly program: ProgramQuery | null;
  /** Whether the agent gets keys itself, which PID 1 must be able to hand over. */
  readonly wantsCredential: boolean;
}

/** How to look for the agent's program. */
export interface ProgramQuery {
  /** A bare name (looked up in `directories`) or an absolute path. */
  readonly name: string;
  /** Directories to search in order; a `*` stands for one whole path component. The current directory is never searched. */
  readonly directories: readonly string[];
}

/** Everything the planner was told about the host, at one moment. */
export interface HostFacts {
  readonly system: SystemFacts;
  readonly workspace: PathFacts;
  /** One entry per queried bind, in the same order. */
  readonly binds: readonly PathFacts[];
  /** One entry per queried socket, in the same order. */
  readonly sockets: readonly SocketFacts[];
  readonly program: ProgramFacts | null;
  readonly userClaims: UserClaims;
  /** The control socket of the egress proxy is there. */
  readonly isEgressInstalled: boolean;
  /** PID 1 can hand a credential to a unit (LoadCredential=); null when nobody asked. */
  readonly canLoadCredential: boolean | null;
  /** What makes links and their walls. */
  readonly networkTools: NetworkTools;
}

/** Paths of the programs that make links and walls; null for one that this host does not have. */
export interface NetworkTools {
  readonly nft: string | null;
  readonly ip: string | null;
}

/** What the host's own user and group files say about the name of the agent's user, which is to be ours alone. */
export interface UserClaims {
  /** A user of the host has it. */
  readonly isUser: boolean;
  /** Groups that list it as a member. */
  readonly groups: readonly string[];
}

/** Facts that hold for every agent of this host; gathered at daemon start and cached. */
export interface SystemFacts {
  /** Absolute path of bubblewrap, or null when there is none. */
  readonly bwrapPath: string | null;
  /** Long options `bwrap --help` lists, with their dashes. Features are probed by name, never by version. */
  readonly bwrapOptions: readonly string[];
  /** `unified`: cgroup v2 only. `hybrid`: the controllers sit in v1 hierarchies. */
  readonly cgroupLayout: 'unified' | 'hybrid';
  /** Top-level entries the allowlist may show: `/usr`, `/bin`, `/lib64`, `/nix/store` and so on, in mount order. */
  readonly roots: readonly RootEntry[];
  /** What of the fixed `/etc` allowlist the host has, for example `/etc/ssl/certs`. */
  readonly etc: readonly EtcEntry[];
  /** The profile of a NixOS; null on any other host, also when it has Nix. */
  readonly profile: ProfileFacts | null;
  /** The certificate bundle programs should use, or null when the host has none. */
  readonly certificateBundle: string | null;
  /** `units/exit-report` as installed; the other scripts lie beside it. */
  readonly exitReportPath: string;
  /** systemd-socket-proxyd, which relays from agents to the egress proxy; null when there is none. */
  readonly socketProxydPath: string | null;
}

/** What the system that a NixOS runs consists of, as it lies in the store. */
export interface ProfileFacts {
  /** What `/run/current-system/sw` is a link to. */
  readonly directory: string;
  /** Data of its locales for glibc; null when it has none. */
  readonly localeArchive: string | null;
}

/** A top-level path of the host that the sandbox sees too. */
export type RootEntry =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string };

/**
 * An entry of `/etc` that the sandbox sees too. What is a symlink on the host
 * (`/etc/localtime`, all of NixOS) stays one when the place it leads to is
 * shown anyway; then the name of the time zone can be read from it, and no
 * directory of links that lead nowhere is bound.
 */
export type EtcEntry =
  | { readonly kind: 'bind'; readonly path: string; readonly source: string }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string };

/** What one path is, without following symlinks anywhere on the way. */
export interface PathFacts {
  readonly path: string;
  readonly kind: 'absent' | 'directory' | 'file' | 'symlink' | 'other';
  /** The first component that is a symlink, or null. When set, the walk ended there. */
  readonly symlinkAt: string | null;
  /** Where the path leads when symlinks are followed, or null when it leads nowhere. */
  readonly realPath: string | null;
  /** The path itself; null when absent. */
  readonly node: NodeFacts | null;
  /** Existing ancestors from `/` down to the nearest existing one. */
  readonly ancestors: readonly (NodeFacts & { readonly path: string })[];
  /** True when a directory has no entries. */
  readonly isEmpty: boolean;
  /** Name of the user who owns the path, when NSS knows one; null otherwise. */
  readonly ownerName: string | null;
  /** Primary group of that user; null when unknown. */
  readonly ownerPrimaryGid: number | null;
}

/** What is at the path of a Unix socket. */
export interface SocketFacts {
  readonly path: PathFacts;
  readonly isSocket: boolean;
  /** A program listens there. */
  readonly isAnswered: boolean;
}

/** Owner and permissions of one inode. */
export interface NodeFacts {
  readonly uid: number;
  readonly gid: number;
  /** Permission bits, `0o7777` and below. */
  readonly mode: number;
}

/** Where the agent's program is and what it needs beside itself. */
export interface ProgramFacts {
  /** The path that was found, before symlinks. */
  readonly path: string;
  /** The same file in the same directory, with only the directory behind its symlinks: a program may go by its own name. */
  readonly namedPath: string;
  /** The file behind it. */
  readonly realPath: string;
  /** Nearest ancestor directory of `realPath` that is a package (holds a package.json), or null. */
  readonly packageDirectory: string | null;
  /** Ancestors of `realPath`, from `/` down. */
  readonly ancestors: readonly (NodeFacts & { readonly path: string })[];
  /** For a script: the interpreter its first line names, resolved the same way (`/usr/bin/env NAME` counts as NAME); null for a binary. */
  readonly interpreter: ProgramFacts | null;
}
