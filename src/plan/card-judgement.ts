import { parentOf } from '../base/paths.ts';
import { ok, type Result } from '../base/result.ts';
import type { ResolvedCard } from '../card/resolve.ts';
import { BWRAP_OPTIONS_NEEDED } from './bwrap.ts';
import type { FactQuery, HostFacts, NodeFacts, PathFacts } from './facts.ts';
import { factQuery, type PlanRequest, planAgent } from './plan.ts';

/** What the configuration of a host says about cards. */
export type HostRules = Required<Pick<PlanRequest, 'publishAddresses' | 'allowHostNetwork' | 'proxy' | 'vethRange'>>;

/** What can be said of a card before any host has seen it. */
export interface CardJudgement {
  /** Sentences the user should see. */
  readonly notices: readonly string[];
}

/** Any uid but root's: nobody owns anything on the host that is planned for. */
const SOME_UID = 65_537;

const ROOT: NodeFacts = { uid: 0, gid: 0, mode: 0o755 };

/**
 * Everything that is wrong with a card by itself: it is planned for a host that has all it needs and where nothing is in
 * its way, so that what is refused here is refused by every host with these rules, in the same words.
 */
export function judgeCard(card: ResolvedCard, rules: HostRules): Result<CardJudgement> {
  const plan = planAgent(
    {
      card,
      arguments: [],
      agentUid: SOME_UID,
      uidRange: { first: SOME_UID, count: 1 },
      agentsRunDirectory: '/run/agent-spawn/agents',
      homesDirectory: '/run/agent-spawn/homes',
      ...rules,
      linkIndex: 1,
    },
    idealFacts(factQuery(card)),
  );
  return plan.ok ? ok({ notices: plan.value.notices }) : plan;
}

/** The answers of a host that pleases every card. */
function idealFacts(query: FactQuery): HostFacts {
  return {
    system: {
      bwrapPath: '/usr/bin/bwrap',
      bwrapOptions: BWRAP_OPTIONS_NEEDED,
      cgroupLayout: 'unified',
      roots: [{ kind: 'directory', path: '/usr' }],
      etc: [],
      // One of the host's would claim variables that the key of a card may have elsewhere.
      certificateBundle: null,
      profile: null,
      exitReportPath: '/usr/lib/agent-spawn/exit-report',
      socketProxydPath: '/usr/lib/systemd/systemd-socket-proxyd',
    },
    workspace: path(query.workspace, 'absent'),
    binds: query.binds.map((bind) => path(bind, 'directory')),
    sockets: query.sockets.map((socket) => ({ path: path(socket, 'absent'), isSocket: false, isAnswered: false })),
    program: {
      path: '/usr/bin/agent',
      namedPath: '/usr/bin/agent',
      realPath: '/usr/bin/agent',
      packageDirectory: null,
      ancestors: [],
      interpreter: null,
    },
    userClaims: { isUser: false, groups: [] },
    isEgressInstalled: true,
    canLoadCredential: query.wantsCredential ? true : null,
    networkTools: { nft: '/usr/sbin/nft', ip: '/usr/sbin/ip' },
  };
}

/** Root's, below directories of root's that everybody may pass. */
function path(name: string, kind: 'absent' | 'directory'): PathFacts {
  return {
    path: name,
    kind,
    symlinkAt: null,
    realPath: kind === 'absent' ? null : name,
    node: kind === 'absent' ? null : ROOT,
    ancestors: [{ path: parentOf(name), ...ROOT }],
    isEmpty: true,
    ownerName: null,
    ownerPrimaryGid: null,
  };
}
