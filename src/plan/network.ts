import { ok, type Problem, type Result, refused } from '../base/result.ts';
import type { ResolvedCard } from '../card/resolve.ts';
import { type EgressPlan, planEgress } from './egress.ts';
import { planVeth, type VethInput, type VethPlan } from './veth.ts';

/** How the agent is connected. */
export interface NetworkPlan {
  readonly mode: 'isolated' | 'none' | 'veth' | 'host';
  /** True for a network namespace of the unit's own. */
  readonly privateNamespace: boolean;
  /** What the agent may reach through the egress proxy; null when the network has no way to it. */
  readonly egress: EgressPlan | null;
  /** The agent's link of its own, or null. */
  readonly veth: VethPlan | null;
  /** URL of the proxy that the agent's programs are told of, or null. */
  readonly proxyUrl: string | null;
  /** False where nothing holds the agent to what its card says about the network. */
  readonly isEnforced: boolean;
  /** One sentence for people. */
  readonly explanation: string;
  readonly notices: readonly string[];
}

/** What the network depends on besides the card. */
export interface NetworkInput {
  /** The host's configuration lets agents use the network of the host. */
  readonly allowHostNetwork: boolean;
  /** Upstream proxy, a URL, of agents whose card names none; null for none. */
  readonly proxy: string | null;
  /** The control socket of the egress proxy is there. */
  readonly isEgressInstalled: boolean;
  /** Path of systemd-socket-proxyd, or null. */
  readonly socketProxydPath: string | null;
  /** What a link of the agent's own depends on. */
  readonly link: VethInput;
}

/** Where the relay to the proxy listens in the agent's own network namespace (units/agent-egress@.socket). */
export const RELAY_URL: string = 'http://127.0.0.1:3128';

const EXPLANATIONS: Readonly<Record<NetworkPlan['mode'], string>> = {
  isolated: `A network namespace of its own with a loopback device; the only way out is the egress proxy at ${RELAY_URL}.`,
  none: 'A network namespace of its own with a loopback device; nothing outside can be reached.',
  veth: `A network namespace of its own with an address; what leaves it goes through the egress proxy at ${RELAY_URL}, or to the addresses of the card.`,
  host: 'The network of the host, not enforced: the agent reaches whatever this host reaches, its local services too.',
};

/** How the card's agent is connected, or why it cannot be. */
export function planNetwork(card: ResolvedCard, input: NetworkInput): Result<NetworkPlan> {
  const { mode } = card.network;
  const hasRelay = mode === 'isolated' || mode === 'veth';
  const egress = hasRelay ? planEgress(card, input.proxy) : null;
  const veth = mode === 'veth' ? planVeth(card, input.link) : null;
  const problems = [
    ...hostModeProblems(card, input),
    ...(hasRelay ? relayProblems(input) : []),
    ...(veth?.ok === false ? veth.problems : []),
  ];
  if (egress?.ok === false) return refused([...egress.problems, ...problems]);
  if (problems.length > 0) return refused(problems);
  const plan = egress?.ok === true ? egress.value : null;
  return ok({
    mode,
    privateNamespace: mode !== 'host',
    egress: plan,
    veth: veth?.ok === true ? veth.value : null,
    proxyUrl: hasRelay ? RELAY_URL : mode === 'host' ? (card.proxy ?? input.proxy) : null,
    isEnforced: mode !== 'host',
    explanation: EXPLANATIONS[mode],
    notices: plan?.notices ?? modeNotices(card),
  });
}

function hostModeProblems(card: ResolvedCard, input: NetworkInput): readonly Problem[] {
  if (card.network.mode !== 'host' || input.allowHostNetwork) return [];
  return [
    {
      code: 'plan.network-refused',
      pointer: '/network/mode',
      message: 'The network mode "host" gives the agent everything this host reaches, and this host does not allow it.',
      suggestion: 'Use "isolated", or write "allow_host_network": true in /etc/agent-spawn/config.json.',
    },
  ];
}

function relayProblems(input: NetworkInput): readonly Problem[] {
  const problems: Problem[] = [];
  if (!input.isEgressInstalled) {
    problems.push({
      code: 'host.egress-unavailable',
      pointer: '/network/mode',
      message: 'The egress proxy is not there: its control socket /run/agent-egress-control.sock does not exist.',
      suggestion: 'Run "systemctl start agent-egressd.socket"; or use the network mode "none".',
    });
  }
  if (input.socketProxydPath === null) {
    problems.push({
      code: 'host.relay-missing',
      pointer: '/network/mode',
      message: 'systemd-socket-proxyd, which relays from the agent to the egress proxy, is not installed.',
      suggestion: 'Install the package "systemd" whole: it belongs to it; or use the network mode "none".',
    });
  }
  return problems;
}

/** What a reader of the card might take for granted and the mode does not give. */
function modeNotices({ network, proxy, allowedHosts }: ResolvedCard): readonly string[] {
  if (network.mode === 'host') return [EXPLANATIONS.host];
  const expectsEgress = proxy !== null || (allowedHosts ?? []).length > 0;
  return expectsEgress ? ['The network mode is "none", so the allowed hosts cannot be reached either.'] : [];
}
