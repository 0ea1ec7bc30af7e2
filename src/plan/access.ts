import type { NodeFacts } from './facts.ts';

/** Who wants to pass: one uid, one gid, no supplementary groups. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** Whether an ordinary process of this identity may search (`x`) a directory, by its mode bits alone. */
export function maySearch(node: NodeFacts, who: Identity): boolean {
  return (permissionBits(node, who) & 1) !== 0;
}

/** Whether it may read (`r`) the node, by its mode bits alone. */
export function mayRead(node: NodeFacts, who: Identity): boolean {
  return (permissionBits(node, who) & 4) !== 0;
}

/** The first directory on the way that this identity cannot search, or null when the path can be reached. */
export function blockingAncestor(
  ancestors: readonly (NodeFacts & { readonly path: string })[],
  who: Identity,
): string | null {
  return ancestors.find((node) => !maySearch(node, who))?.path ?? null;
}

/** The three bits of the class that path_resolution(7) picks: owner, else group, else other. */
function permissionBits(node: NodeFacts, who: Identity): number {
  if (node.uid === who.uid) return (node.mode >> 6) & 7;
  if (node.gid === who.gid) return (node.mode >> 3) & 7;
  return node.mode & 7;
}
