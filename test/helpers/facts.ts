import { BWRAP_OPTIONS_NEEDED } from '../../src/plan/bwrap.ts';
import type { HostFacts, NodeFacts, PathFacts, ProgramFacts, SystemFacts } from '../../src/plan/facts.ts';

const ROOT: NodeFacts = { uid: 0, gid: 0, mode: 0o755 };

/** A merged-usr Debian host with everything a plan needs. */
export const DEBIAN: SystemFacts = {
  bwrapPath: '/usr/bin/bwrap',
  bwrapOptions: [...BWRAP_OPTIONS_NEEDED],
  cgroupLayout: 'unified',
  roots: [
    { kind: 'directory', path: '/usr' },
    { kind: 'symlink', path: '/bin', target: 'usr/bin' },
    { kind: 'symlink', path: '/lib', target: 'usr/lib' },
    { kind: 'symlink', path: '/lib64', target: 'usr/lib64' },
    { kind: 'symlink', path: '/sbin', target: 'usr/sbin' },
  ],
  etc: [
    { kind: 'bind', path: '/etc/alternatives', source: '/etc/alternatives' },
    { kind: 'bind', path: '/etc/ld.so.cache', source: '/etc/ld.so.cache' },
    { kind: 'symlink', path: '/etc/localtime', target: '/usr/share/zoneinfo/Etc/UTC' },
    { kind: 'bind', path: '/etc/ssl/certs', source: '/etc/ssl/certs' },
  ],
  profile: null,
  certificateBundle: '/etc/ssl/certs/ca-certificates.crt',
  exitReportPath: '/usr/lib/agent-spawn/exit-report',
  socketProxydPath: '/usr/lib/systemd/systemd-socket-proxyd',
};

/** An absent path below root-owned, searchable directories. */
export function absentPath(path: string): PathFacts {
  return {
    path,
    kind: 'absent',
    symlinkAt: null,
    realPath: null,
    node: null,
    ancestors: [{ path: '/', ...ROOT }],
    isEmpty: false,
    ownerName: null,
    ownerPrimaryGid: null,
  };
}

/** An existing directory; `changes` say what is different from root's empty 0755 one. */
export function directoryPath(path: string, changes: Partial<PathFacts> = {}): PathFacts {
  return { ...absentPath(path), kind: 'directory', realPath: path, node: ROOT, isEmpty: true, ...changes };
}

/** A binary at an ordinary place. */
export function binary(path: string, changes: Partial<ProgramFacts> = {}): ProgramFacts {
  return {
    path,
    namedPath: path,
    realPath: path,
    packageDirectory: null,
    ancestors: [{ path: '/', ...ROOT }],
    interpreter: null,
    ...changes,
  };
}

/** Facts for a card whose workspace does not exist yet and whose program is a shell. */
export function hostFacts(workspace: string, changes: Partial<HostFacts> = {}): HostFacts {
  return {
    system: DEBIAN,
    workspace: absentPath(workspace),
    binds: [],
    sockets: [],
    userClaims: { isUser: false, groups: [] },
    isEgressInstalled: true,
    canLoadCredential: null,
    networkTools: { nft: '/usr/sbin/nft', ip: '/usr/sbin/ip' },
    program: binary('/usr/bin/dash', { path: '/bin/sh' }),
    ...changes,
  };
}
