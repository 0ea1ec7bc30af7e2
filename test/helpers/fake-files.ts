import { basename, dirname, resolve as resolvePath } from 'node:path/posix';
import { SpawnError } from '../../src/base/errors.ts';
import type { HostFiles, WorkspaceChange, WorkspaceOrder } from '../../src/host/host.ts';
import type { NodeFacts, PathFacts } from '../../src/plan/facts.ts';
import type { FakeFaults } from './fake-faults.ts';

/** One entry of the fake file system. */
export type FakeNode =
  | { readonly kind: 'file'; readonly content: Uint8Array; readonly mode: number; uid: number; gid: number }
  | { readonly kind: 'directory'; readonly mode: number; uid: number; gid: number }
  | { readonly kind: 'symlink'; readonly target: string; uid: number; gid: number }
  | { readonly kind: 'socket'; readonly mode: number; uid: number; gid: number };

/** Symlinks that are followed. */
const LINKS_MAX = 40;

/** A file system in memory. Only what {@link HostFiles} says can be done with it; everything is root's unless said otherwise. */
export class FakeFiles implements HostFiles {
  readonly nodes = new Map<string, FakeNode>();
  readonly #faults: FakeFaults;
  readonly #watches = new Set<{ readonly path: string; readonly changed: () => void; isDue: boolean }>();

  constructor(faults: FakeFaults) {
    this.#faults = faults;
    this.nodes.set('/', { kind: 'directory', mode: 0o755, uid: 0, gid: 0 });
  }

  /** Puts a directory and everything above it there, outside all counting. */
  seedDirectory(path: string, owner: { readonly uid: number; readonly mode?: number } = { uid: 0 }): void {
    if (path !== '/') this.seedDirectory(dirname(path));
    if (this.nodes.has(path)) return;
    this.nodes.set(path, { kind: 'directory', mode: owner.mode ?? 0o755, uid: owner.uid, gid: owner.uid });
  }

  /** Puts a file there, outside all counting. */
  seedFile(path: string, content: string, uid = 0, mode = 0o644): void {
    this.seedDirectory(dirname(path));
    this.#put(path, { kind: 'file', content: Buffer.from(content), mode, uid, gid: uid });
  }

  /** Puts a symlink there, outside all counting. */
  seedSymlink(path: string, target: string): void {
    this.seedDirectory(dirname(path));
    this.#put(path, { kind: 'symlink', target, uid: 0, gid: 0 });
  }

  /** Puts a socket there, outside all counting. */
  seedSocket(path: string, uid: number): void {
    this.seedDirectory(dirname(path));
    this.#put(path, { kind: 'socket', mode: 0o755, uid, gid: uid });
  }

  /** Text of a file, or null. */
  text(path: string): string | null {
    const node = this.nodes.get(path);
    return node?.kind === 'file' ? Buffer.from(node.content).toString() : null;
  }

  async read(path: string, bytesMax: number): Promise<Uint8Array | null> {
    const node = this.nodes.get(path);
    if (node === undefined) return null;
    if (node.kind !== 'file') throw failed(`reading ${path}`, `it is a ${node.kind}`);
    if (node.content.length > bytesMax) throw failed(`reading ${path}`, `it is larger than ${bytesMax} bytes`);
    return Uint8Array.from(node.content);
  }

  async readLinked(path: string, bytesMax: number): Promise<Uint8Array | null> {
    const end = this.#resolve(path);
    return end === null ? null : this.read(end, bytesMax);
  }

  write(path: string, content: Uint8Array | string, mode: number): Promise<void> {
    return this.#faults.mutate(`writing ${path}`, () => {
      this.#parentOf(path, 'writing');
      if (this.nodes.get(path)?.kind === 'directory') throw failed(`writing ${path}`, 'it is a directory');
      this.#put(path, { kind: 'file', content: Buffer.from(content), mode, uid: 0, gid: 0 });
    });
  }

  remove(path: string): Promise<void> {
    return this.#faults.mutate(`removing ${path}`, () => {
      if (this.nodes.get(path)?.kind === 'directory') throw failed(`removing ${path}`, 'it is a directory');
      this.#delete(path);
    });
  }

  makeDirectory(path: string, mode: number): Promise<void> {
    return this.#faults.mutate(`making the directory ${path}`, () => {
      const present = this.nodes.get(path);
      if (present?.kind === 'directory') return;
      if (present !== undefined) throw failed(`making the directory ${path}`, 'something else has this name');
      this.#parentOf(path, 'making the directory');
      this.#put(path, { kind: 'directory', mode, uid: 0, gid: 0 });
    });
  }

  removeTree(path: string): Promise<void> {
    return this.#faults.mutate(`removing the tree ${path}`, () => {
      for (const other of this.#below(path)) this.nodes.delete(other);
      this.#delete(path);
    });
  }

  linkSocket(path: string, name: string, uid: number): Promise<boolean> {
    return this.#faults.mutate(`linking ${path}`, () => {
      const node = this.nodes.get(path);
      if (node?.kind !== 'socket' || node.uid !== uid) return false;
      this.#parentOf(name, 'linking');
      this.#put(name, { ...node, mode: 0o600 });
      return true;
    });
  }

  symlink(target: string, path: string): Promise<void> {
    return this.#faults.mutate(`making the symlink ${path}`, () => {
      this.#parentOf(path, 'making the symlink');
      if (this.nodes.get(path)?.kind === 'directory') throw failed(`making the symlink ${path}`, 'it is a directory');
      this.#put(path, { kind: 'symlink', target, uid: 0, gid: 0 });
    });
  }

  async list(path: string): Promise<readonly string[]> {
    const node = this.nodes.get(path);
    if (node !== undefined && node.kind !== 'directory') throw failed(`listing ${path}`, `it is a ${node.kind}`);
    return [...this.nodes.keys()]
      .filter((other) => other !== '/' && dirname(other) === path)
      .map((other) => basename(other))
      .sort();
  }

  prepareWorkspace(order: WorkspaceOrder): Promise<WorkspaceChange> {
    return this.#faults.mutate(`preparing the workspace ${order.path}`, () => this.#prepare(order));
  }

  revertWorkspace(change: WorkspaceChange): Promise<void> {
    return this.#faults.mutate('removing the workspace', () => {
      for (const path of [...change.made].reverse()) {
        if (this.#below(path).length > 0) return;
        this.#delete(path);
      }
    });
  }

  watch(path: string, changed: () => void): Disposable {
    const watch = { path, changed, isDue: false };
    this.#watches.add(watch);
    return { [Symbol.dispose]: () => void this.#watches.delete(watch) };
  }

  /** What the host room would tell of a path. */
  facts(path: string): PathFacts {
    const prefixes = [
      '/',
      ...path
        .split('/')
        .slice(1)
        .map((_, index, all) => `/${all.slice(0, index + 1).join('/')}`),
    ];
    const link = prefixes.find((prefix) => this.nodes.get(prefix)?.kind === 'symlink') ?? null;
    const end = link ?? path;
    const node = this.nodes.get(path) ?? null;
    const ancestors = prefixes
      .filter((prefix) => prefix !== end && (prefix === '/' || end.startsWith(`${prefix}/`)))
      .flatMap((prefix) => {
        const above = this.nodes.get(prefix);
        return above === undefined ? [] : [{ path: prefix, ...nodeFacts(above) }];
      });
    const target = this.nodes.get(end);
    return {
      path,
      kind: link !== null ? 'symlink' : node?.kind === 'socket' ? 'other' : (node?.kind ?? 'absent'),
      symlinkAt: link,
      realPath: target?.kind === 'symlink' ? target.target : node === null ? null : path,
      node: node === null ? null : nodeFacts(node),
      ancestors,
      isEmpty: node?.kind === 'directory' && this.#below(path).length === 0,
      ownerName: node === null || node.uid === 0 ? null : `user${node.uid}`,
      ownerPrimaryGid: node === null || node.uid === 0 ? null : node.uid,
    };
  }

  /** The path behind all symlinks, or null for one that leads to nothing. */
  #resolve(path: string): string | null {
    let resolved = '/';
    const names = path.split('/').slice(1);
    for (let links = 0; names.length > 0; ) {
      const next = resolvePath(resolved, names.shift() ?? '');
      const node = this.nodes.get(next);
      if (node === undefined || links > LINKS_MAX) return null;
      if (node.kind === 'symlink') {
        links += 1;
        const target = resolvePath(resolved, node.target);
        names.unshift(...target.split('/').slice(1));
        resolved = '/';
      } else resolved = next;
    }
    return resolved;
  }

  #prepare(order: WorkspaceOrder): WorkspaceChange {
    const names = order.path.split('/').slice(1);
    const made: string[] = [];
    for (const path of names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`)) {
      const node = this.nodes.get(path);
      if (node !== undefined && node.kind !== 'directory') throw workspaceRefused(`${path} is a ${node.kind}`);
      if (node !== undefined) continue;
      if (!order.create) throw workspaceRefused(`${path} does not exist`);
      const isLast = path === order.path;
      const owner = isLast ? { uid: order.uid, gid: order.gid } : { uid: 0, gid: 0 };
      this.#put(path, { kind: 'directory', mode: isLast ? 0o700 : 0o755, ...owner });
      made.push(path);
    }
    const reowned = made.length > 0 ? 0 : this.#reown(order);
    const owner = this.nodes.get(order.path)?.uid;
    if (owner !== order.uid) throw workspaceRefused(`${order.path} belongs to uid ${owner}`);
    return { made, reowned };
  }

  #reown(order: WorkspaceOrder): number {
    if (order.replaceUid === null) return 0;
    const below = this.#below(order.path);
    if (order.replaceUid === 0 && below.length > 0) throw workspaceRefused(`${order.path} is root's and not empty`);
    let reowned = 0;
    for (const path of [...below, order.path]) {
      const node = this.nodes.get(path);
      if (node === undefined || node.uid !== order.replaceUid) continue;
      node.gid = node.gid === order.replaceUid ? order.gid : node.gid;
      node.uid = order.uid;
      reowned += 1;
    }
    return reowned;
  }

  #below(path: string): readonly string[] {
    return [...this.nodes.keys()].filter((other) => other.startsWith(`${path}/`));
  }

  #parentOf(path: string, operation: string): void {
    if (this.nodes.get(dirname(path))?.kind === 'directory') return;
    throw failed(`${operation} ${path}`, `there is no directory ${dirname(path)}`);
  }

  #put(path: string, node: FakeNode): void {
    this.nodes.set(path, node);
    this.#told(dirname(path));
  }

  #delete(path: string): void {
    if (this.nodes.delete(path)) this.#told(dirname(path));
  }

  #told(directory: string): void {
    for (const watch of this.#watches) {
      if (watch.path !== directory || watch.isDue) continue;
      watch.isDue = true;
      queueMicrotask(() => {
        watch.isDue = false;
        if (this.#watches.has(watch)) watch.changed();
      });
    }
  }
}

function nodeFacts(node: FakeNode): NodeFacts {
  return { uid: node.uid, gid: node.gid, mode: node.kind === 'symlink' ? 0o777 : node.mode };
}

function failed(operation: string, reason: string): SpawnError {
  return new SpawnError('host.call-failed', `${operation} failed: ${reason}`);
}

function workspaceRefused(reason: string): SpawnError {
  return new SpawnError('plan.workspace-refused', `The workspace cannot be used: ${reason}.`);
}
