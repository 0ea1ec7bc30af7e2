import { sha256 } from './digest.ts';

/** Lower-case letters, digits and inner hyphens; the schema of the card has the same rule. */
const AGENT_ID = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
const AGENT_ID_MAX = 48;

const UNIT_PREFIX = 'sandboxed-agent@';
const UNIT_SUFFIX = '.service';
const USER_PREFIX = 'agent-';

/** Longest user name that every program takes, bytes: utmp has room for 31 and a NUL, and systemd's strict rule follows it. */
const USER_NAME_MAX = 31;

/** Readable start of a shortened user name. */
const SHORT_PREFIX_LENGTH = 8;

/** Crockford's base 32: without the letters that look like digits. */
const DIGEST_ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** Whether a text can name an agent: `a-z`, `0-9` and inner `-`, 1 to 48 characters. */
export function isAgentId(text: string): boolean {
  return text.length <= AGENT_ID_MAX && AGENT_ID.test(text);
}

/**
 * The unit of an agent. The id stands in it as it is: none of its characters needs systemd's escaping, so a unit file
 * must say `%i`, never `%I`, which would turn every `-` into a slash.
 */
export function unitName(id: string): string {
  return `${UNIT_PREFIX}${id}${UNIT_SUFFIX}`;
}

/** The unit that listens inside an agent's network for what goes to the egress proxy. */
export function relaySocketName(id: string): string {
  return `agent-egress@${id}.socket`;
}

/** The same for an agent with a link of its own (units/agent-egress-veth@.socket). */
export function linkedRelaySocketName(id: string): string {
  return `agent-egress-veth@${id}.socket`;
}

/** The unit that makes the link of an agent and guards its wall (units/agent-veth@.service). */
export function linkUnitName(id: string): string {
  return `agent-veth@${id}.service`;
}

/** What ip-netns(8) calls the network of an agent with a link. */
export function linkedNetworkName(id: string): string {
  return `agent-${id}`;
}

/** Where that network is mounted. */
export function linkedNetworkPath(id: string): string {
  return `/run/netns/${linkedNetworkName(id)}`;
}

/** The agent of a unit, or undefined for the name of any other unit. The reverse of {@link unitName}. */
export function agentIdOfUnit(unit: string): string | undefined {
  if (!unit.startsWith(UNIT_PREFIX) || !unit.endsWith(UNIT_SUFFIX)) return undefined;
  const id = unit.slice(UNIT_PREFIX.length, -UNIT_SUFFIX.length);
  return isAgentId(id) ? id : undefined;
}

/**
 * The user an agent runs as when its workspace is nobody else's: `agent-<id>`, 31 bytes at most. A longer id is
 * shortened to `agent-<start>_<digest>`; an id holds no `_`, so that this is never the name of another agent, and the
 * digest has 80 bits, so that nobody finds a second id with the same one.
 */
export function userName(id: string): string {
  const plain = `${USER_PREFIX}${id}`;
  if (plain.length <= USER_NAME_MAX) return plain;
  const digestLength = USER_NAME_MAX - USER_PREFIX.length - SHORT_PREFIX_LENGTH - 1;
  const digest = [...sha256(id).subarray(0, digestLength)].map((byte) => DIGEST_ALPHABET[byte & 31]).join('');
  return `${USER_PREFIX}${id.slice(0, SHORT_PREFIX_LENGTH)}_${digest}`;
}
