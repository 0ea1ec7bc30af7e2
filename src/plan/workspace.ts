import { ok, type Problem, type Result, refused } from '../base/result.ts';
import { blockingAncestor, type Identity, maySearch } from './access.ts';
import type { PathFacts } from './facts.ts';

/** Uids we hand out: `first` up to `first + count - 1`. */
export interface UidRange {
  readonly first: number;
  readonly count: number;
}

/** What to do about the workspace and as whom the agent runs. */
export interface WorkspacePlan {
  readonly path: string;
  /** Make it, and missing parents, when it is absent. */
  readonly create: boolean;
  readonly identity: Identity;
  /** Why the agent has this uid, for people. */
  readonly reason: string;
  /** Owner to replace throughout the tree, or null. */
  readonly replaceUid: number | null;
}

/** Inputs of the decision. */
export interface WorkspaceInput {
  readonly facts: PathFacts;
  /** The uid reserved for this agent id; its group has the same number. */
  readonly agentUid: number;
  readonly range: UidRange;
}

/** The kernel's overflow uid: it stands for "somebody this namespace cannot name". */
const OVERFLOW_UID = 65534;

/**
 * Decides about the workspace: absent ones are made for the agent's own uid,
 * ours change hands when the uid did, a real user's checkout keeps its owner
 * and the agent runs as that user.
 */
export function planWorkspace(input: WorkspaceInput): Result<WorkspacePlan> {
  const { facts, agentUid, range } = input;
  const own: Identity = { uid: agentUid, gid: agentUid };
  if (facts.symlinkAt !== null) return refuse(symlinkProblem(facts));
  if (facts.kind === 'absent') return reachable(facts, { ...plain(facts, own), create: true, reason: OWN_UID });
  if (facts.kind !== 'directory' || facts.node === null) {
    return refuse(problem(`The workspace ${facts.path} is not a directory.`));
  }
  const owner = facts.node.uid;
  if (owner === agentUid) return reachable(facts, { ...plain(facts, own), reason: OWN_UID });
  if (isOurs(owner, range)) {
    return reachable(facts, { ...plain(facts, own), replaceUid: owner, reason: `${OWN_UID} (it was ${owner} before)` });
  }
  if (owner === 0) return rootOwned(facts, own);
  if (owner === OVERFLOW_UID) {
    return refuse(
      problem(
        `The workspace ${facts.path} belongs to the overflow user ${owner}.`,
        'Give it to a real user with chown.',
      ),
    );
  }
  return realUser(facts, owner);
}

const OWN_UID = "the agent's own uid";

/** An empty directory that root made is taken over; one with content is somebody's. */
function rootOwned(facts: PathFacts, own: Identity): Result<WorkspacePlan> {
  if (facts.isEmpty) return reachable(facts, { ...plain(facts, own), replaceUid: 0, reason: OWN_UID });
  return refuse(
    problem(
      `The workspace ${facts.path} belongs to root and is not empty, and no agent runs as root.`,
      `Give it to a user (chown -R USER ${facts.path}), or name a directory that does not exist yet.`,
    ),
  );
}

function realUser(facts: PathFacts, uid: number): Result<WorkspacePlan> {
  const gid = facts.ownerPrimaryGid ?? facts.node?.gid ?? uid;
  const name = facts.ownerName ?? String(uid);
  return reachable(facts, { ...plain(facts, { uid, gid }), reason: `the workspace belongs to ${name}` });
}

function plain(facts: PathFacts, identity: Identity): Omit<WorkspacePlan, 'reason'> {
  return { path: facts.path, create: false, identity, replaceUid: null };
}

/** Refuses a workspace that the chosen uid could not reach, before bubblewrap would. */
function reachable(facts: PathFacts, plan: WorkspacePlan): Result<WorkspacePlan> {
  const blocked = blockingAncestor(facts.ancestors, plan.identity);
  if (blocked !== null) {
    return refuse(
      problem(
        `The agent's uid ${plan.identity.uid} (${plan.reason}) cannot pass through ${blocked} to the workspace ${facts.path}.`,
        `Open it for passing (chmod o+x ${blocked}), or make the workspace yourself so that it belongs to you and the agent runs as you.`,
      ),
    );
  }
  const keepsOwner = facts.node !== null && plan.replaceUid === null && !plan.create;
  if (keepsOwner && facts.node !== null && !maySearch(facts.node, plan.identity)) {
    return refuse(problem(`The owner of the workspace ${facts.path} may not enter it.`, `chmod u+rwx ${facts.path}`));
  }
  return ok(plan);
}

function isOurs(uid: number, range: UidRange): boolean {
  return uid >= range.first && uid < range.first + range.count;
}

function symlinkProblem(facts: PathFacts): Problem {
  const target =
    facts.realPath === null ? 'It leads nowhere.' : `Write ${facts.realPath} in the card if that is meant.`;
  return problem(
    `The workspace ${facts.path} passes through the symlink ${facts.symlinkAt}, which could be turned elsewhere.`,
    target,
  );
}

function problem(message: string, suggestion?: string): Problem {
  return {
    code: 'plan.workspace-refused',
    pointer: '/workspace',
    message,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

function refuse(one: Problem): Result<never> {
  return refused([one]);
}
