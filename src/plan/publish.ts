import { sha256 } from '../base/digest.ts';
import { linkedNetworkPath, unitName } from '../base/ids.ts';
import { isWithin } from '../base/paths.ts';
import { quote } from '../base/quote.ts';
import { ok, type Problem, type Result, refused } from '../base/result.ts';
import type { ResolvedCard } from '../card/resolve.ts';
import type { NodeFacts, SocketFacts } from './facts.ts';
import { isLoopback, type Listen, listenText, overlaps, parseListen } from './listen.ts';
import { type NetworkJoin, publishUnits, type UnitFile } from './publish-units.ts';
import type { Step } from './step.ts';
import type { UnitProperty } from './unit-property.ts';

/** Which addresses of the host cards may publish ports on: those that only this host reaches, or any. */
export type PublishAddresses = 'loopback' | 'any';

/** One port of an agent with the place where the host listens for it. */
export interface PlannedPort {
  readonly port: number;
  readonly listen: string;
  /** Where the card asks for it. */
  readonly pointer: string;
  /** Unit that listens. The name holds a digest of all of this, so that a unit PID 1 has loaded is never another one. */
  readonly socket: string;
  /** Unit that relays. */
  readonly service: string;
}

/** The published ports of one agent. */
export interface PublishPlan {
  readonly ports: readonly PlannedPort[];
  readonly units: readonly UnitFile[];
  /** What the agent's unit has because of them. */
  readonly properties: readonly UnitProperty[];
}

/** What {@link planPublish} decides on. */
export interface PublishInput {
  readonly card: ResolvedCard;
  readonly addresses: readonly PublishAddresses[];
  /** One entry per path of {@link publishedPaths}, in the same order. */
  readonly sockets: readonly SocketFacts[];
  /** systemd-socket-proxyd as installed, or null. */
  readonly relayPath: string | null;
  /** The agent runs, so that what answers at its socket is its own. */
  readonly isRunning: boolean;
}

/** Port of the relay to the proxy inside the agent's network. */
const PROXY_PORT = 3128;

/** Hexadecimal digits of a digest in a unit's name; two ports of one agent must not share them. */
const DIGEST_LENGTH = 10;

/** Directories whose contents belong to us, to systemd or to the kernel. */
const RESERVED = [
  '/run/agent-spawn',
  '/run/agent-egress',
  '/run/netns',
  '/run/systemd',
  '/run/userdb',
  '/proc',
  '/sys',
  '/dev',
];

/** What systemd takes as it stands in ListenStream=. */
const PLAIN_PATH = /^[A-Za-z0-9_./@:+,=-]+$/;

/** The ports a card publishes, `a2a_port` among them; the same port at the same place counts once. */
export function plannedPorts(card: ResolvedCard): readonly PlannedPort[] {
  const listed = card.network.publish.map((entry, index) => ({
    ...entry,
    pointer: `/network/publish/${index}/listen`,
  }));
  const { a2aPort } = card;
  const a2a = { port: a2aPort ?? 0, listen: `127.0.0.1:${a2aPort}`, pointer: '/a2a_port' };
  const isNew = a2aPort !== null && !listed.some(({ port, listen }) => port === a2aPort && listen === a2a.listen);
  return [...listed, ...(isNew ? [a2a] : [])].map(({ port, listen, pointer }) => {
    const place = parseListen(listen);
    const text = place === null ? listen : listenText(place);
    const join = networkJoin(card);
    const digest = Buffer.from(sha256(JSON.stringify([card.agentId, port, text, join]))).toString('hex');
    const unit = `agent-publish@${card.agentId}:${port}-${digest.slice(0, DIGEST_LENGTH)}`;
    return { port, listen: text, pointer, socket: `${unit}.socket`, service: `${unit}.service` };
  });
}

/** The agent of a unit of a published port, or null for any other unit. */
export function agentOfPublishUnit(unit: string): string | null {
  return /^agent-publish@([a-z0-9-]+):[0-9]+-[0-9a-f]+\.(?:socket|service)$/.exec(unit)?.[1] ?? null;
}

/** Paths of Unix sockets that a card publishes ports at. */
export function publishedPaths(card: ResolvedCard): readonly string[] {
  return plannedPorts(card).flatMap(({ listen }) => (listen.startsWith('/') ? [listen] : []));
}

/** Decides about the published ports of a card. */
export function planPublish(input: PublishInput): Result<PublishPlan> {
  const { card } = input;
  const ports = plannedPorts(card);
  const problems = ports.flatMap((port, index) => [
    ...portProblems(card, port),
    ...placeProblems(port, input),
    ...repeated(port, ports.slice(0, index)),
  ]);
  if (problems.length > 0) return refused(problems);
  if (input.relayPath === null && ports[0] !== undefined) return refused([relayMissing(ports[0])]);
  const agent = unitName(card.agentId);
  const join = networkJoin(card);
  const units = ports.flatMap((port) =>
    publishUnits({ ...port, id: card.agentId, agent, join, relayPath: input.relayPath ?? '' }),
  );
  const sockets = ports.map(({ socket }) => socket);
  const properties = ['Requires', 'After'].map((name) => ({ name, signature: 'as', value: sockets }));
  return ok({ ports, units, properties: ports.length === 0 ? [] : properties });
}

/** What writes the units; nothing for an agent without published ports. */
export function publishSteps({ ports, units }: PublishPlan): readonly Step[] {
  return units.length === 0 ? [] : [{ kind: 'publish.install', arguments: { ports, units } }];
}

/** The ports of one agent that cannot be open while those of another are. */
export function contested(ports: readonly PlannedPort[], others: readonly PlannedPort[]): readonly PlannedPort[] {
  return ports.filter(({ listen }) => others.some((other) => collide(listen, other.listen)));
}

/**
 * An agent in an isolated network is in the namespace of its relay to the
 * proxy, and PID 1 looks only at the units that are named here.
 */
function networkJoin(card: ResolvedCard): NetworkJoin {
  const { agentId } = card;
  const agent = unitName(agentId);
  switch (card.network.mode) {
    case 'isolated':
      return { kind: 'units', units: [`agent-egress@${agentId}.socket`, agent] };
    case 'veth':
      return { kind: 'path', path: linkedNetworkPath(agentId) };
    case 'none':
    case 'host':
      return { kind: 'units', units: [agent] };
  }
}

function portProblems(card: ResolvedCard, { port, pointer }: PlannedPort): readonly Problem[] {
  const { mode } = card.network;
  if (mode === 'host') {
    const message = 'An agent in the network of the host listens there by itself; there is nothing to publish.';
    return [problem(pointer, message, 'Remove the key, or use the network mode "isolated".')];
  }
  if ((mode !== 'isolated' && mode !== 'veth') || port !== PROXY_PORT) return [];
  const message = `Port ${PROXY_PORT} inside the sandbox is the proxy of the agent, which nobody else may use.`;
  return [problem(pointer, message, 'Let the agent listen on another port.')];
}

function placeProblems({ listen, pointer }: PlannedPort, input: PublishInput): readonly Problem[] {
  const place = parseListen(listen);
  if (place === null) {
    return [problem(pointer, `${quote(listen)} is no address to listen on.`, 'Write "127.0.0.1:PORT".')];
  }
  if (place.kind === 'unix') return pathProblems(place, pointer, input);
  if (input.addresses.includes('any') || (isLoopback(place) && input.addresses.includes('loopback'))) return [];
  const [needed, cause, instead] = isLoopback(place)
    ? ['loopback', 'is an address, and this host publishes ports at Unix sockets only', 'Write the path of a socket']
    : [
        'any',
        'can be reached from other machines, and this host publishes ports on loopback addresses only',
        `Write "127.0.0.1:${place.port}"`,
      ];
  const suggestion = `${instead}, or add "${needed}" to "publish_addresses" in /etc/agent-spawn/config.json.`;
  return [problem(pointer, `${listen} ${cause}.`, suggestion)];
}

/** PID 1 replaces what it finds at the path, so only root may be able to put anything there. */
function pathProblems(
  { path }: Extract<Listen, { kind: 'unix' }>,
  pointer: string,
  { card, sockets, isRunning }: PublishInput,
): readonly Problem[] {
  const refuse = (cause: string, suggestion = 'Use a path such as "/run/agent.sock".'): readonly Problem[] => [
    problem(pointer, `The socket ${quote(path)} cannot be published: ${cause}.`, suggestion),
  ];
  if (!PLAIN_PATH.test(path)) return refuse('only letters, digits and any of _./@:+,=- can be in its path');
  const reserved = RESERVED.find((directory) => isWithin(path, directory));
  if (reserved !== undefined) return refuse(`${reserved} belongs to the system`);
  if (isWithin(path, card.workspace)) return refuse('it lies in the workspace of the agent');
  const facts = sockets.find((socket) => socket.path.path === path);
  if (facts === undefined) return refuse('nothing is known about its path');
  const { symlinkAt, ancestors, kind } = facts.path;
  if (symlinkAt !== null) return refuse(`${symlinkAt} is a symbolic link`);
  const directory = path.slice(0, path.lastIndexOf('/')) || '/';
  if (ancestors.at(-1)?.path !== directory) return refuse(`the directory ${directory} does not exist`, 'Make it.');
  const open = ancestors.find((ancestor) => !isRootsOwn(ancestor));
  if (open !== undefined) return refuse(`others than root can change the directory ${open.path}`);
  if (kind === 'absent' || isRunning) return [];
  if (!facts.isSocket) return refuse('there is a file already, and it is no socket', 'Remove it.');
  return facts.isAnswered ? refuse('another program listens there', 'Use another path.') : [];
}

function isRootsOwn({ uid, mode }: NodeFacts): boolean {
  return uid === 0 && (mode & 0o022) === 0;
}

function repeated({ listen, pointer }: PlannedPort, earlier: readonly PlannedPort[]): readonly Problem[] {
  const first = earlier.find((other) => collide(listen, other.listen));
  if (first === undefined) return [];
  const message = `${listen} and ${first.listen} of the same card cannot both be listened on.`;
  return [problem(pointer, message, 'Give each published port an address or port of its own.')];
}

function collide(a: string, b: string): boolean {
  const [left, right] = [parseListen(a), parseListen(b)];
  return left !== null && right !== null && overlaps(left, right);
}

function relayMissing({ pointer }: PlannedPort): Problem {
  const message = 'systemd-socket-proxyd, which relays published ports, is not installed on this host.';
  return { code: 'host.relay-missing', pointer, message, suggestion: 'Install the whole of systemd.' };
}

function problem(pointer: string, message: string, suggestion: string): Problem {
  return { code: 'plan.publish-refused', pointer, message, suggestion };
}
