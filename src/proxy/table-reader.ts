import { isAgentId } from '../base/ids.ts';
import { ok, type Problem, type Result, refused } from '../base/result.ts';
import { PROVIDERS, type ProviderName } from '../policy/provider.ts';
import type {
  AgentTable,
  Budget,
  EgressCaps,
  EgressPolicy,
  EgressRule,
  Gateway,
  GatewayBase,
  UpstreamProxy,
} from '../policy/table.ts';

/** Segments of letters, digits and what an authority has. */
const MOUNT = /^(?:\/[a-z0-9.:[\]-]+)+$/;

/** A value that is not what it should be. */
class Unexpected extends Error {
  readonly problem: Problem;

  constructor(pointer: string, what: string) {
    super(what);
    this.problem = { code: 'control.bad-request', pointer, message: `This must be ${what}.` };
  }
}

/** What is read, and where it stands. */
interface Part {
  readonly value: unknown;
  readonly pointer: string;
}

/** Reads `{"agents": [table, …]}`. What the rules say is for `compilePolicy` to judge. */
export function readTables(value: unknown): Result<readonly AgentTable[]> {
  return attempt(() => {
    const tables = list(member({ value, pointer: '' }, 'agents'), readAgent);
    const ids = tables.map(({ id }) => id);
    const twice = ids.findIndex((id, index) => ids.indexOf(id) !== index);
    if (twice !== -1) throw new Unexpected(`/agents/${twice}/id`, 'the only table of its agent');
    return tables;
  });
}

/** Reads the table of one agent, which must be `id`. */
export function readTable(value: unknown, id: string): Result<AgentTable> {
  return attempt(() => {
    const table = readAgent({ value, pointer: '' });
    if (table.id !== id) throw new Unexpected('/id', `"${id}" as in the path`);
    return table;
  });
}

function attempt<T>(read: () => T): Result<T> {
  try {
    return ok(read());
  } catch (error) {
    if (error instanceof Unexpected) return refused([error.problem]);
    throw error;
  }
}

function readAgent(part: Part): AgentTable {
  const id = text(member(part, 'id'));
  if (!isAgentId(id)) throw new Unexpected(`${part.pointer}/id`, 'the id of an agent');
  const since = orNull(member(part, 'since'), count);
  return {
    id,
    ...(since === null ? {} : { since }),
    policy: readPolicy(member(part, 'policy')),
    upstream: orNull(member(part, 'upstream'), readUpstream),
    caps: readCaps(member(part, 'caps')),
    gateways: list(member(part, 'gateways'), readGateway),
    budget: readBudget(member(part, 'budget')),
  };
}

function readPolicy(part: Part): EgressPolicy {
  return { allow: list(member(part, 'allow'), readRule), deny: list(member(part, 'deny'), readRule) };
}

function readRule(part: Part): EgressRule {
  const protocol = text(member(part, 'protocol'));
  if (protocol !== 'tls' && protocol !== 'tcp') throw new Unexpected(`${part.pointer}/protocol`, '"tls" or "tcp"');
  return {
    host: text(member(part, 'host')),
    ports: orNull(member(part, 'ports'), (ports) => list(ports, count)),
    methods: orNull(member(part, 'methods'), (methods) => list(methods, text)),
    paths: orNull(member(part, 'paths'), (paths) => list(paths, text)),
    protocol,
    pointer: text(member(part, 'pointer')),
    reason: orNull(member(part, 'reason'), text),
  };
}

function readUpstream(part: Part): UpstreamProxy {
  const scheme = text(member(part, 'scheme'));
  if (scheme !== 'http' && scheme !== 'https') throw new Unexpected(`${part.pointer}/scheme`, '"http" or "https"');
  const credentials = orNull(member(part, 'credentials'), text);
  const place = { scheme, host: text(member(part, 'host')), port: count(member(part, 'port')), credentials } as const;
  const from = member(part, 'from');
  if (from.value === null) return place;
  if (from.value !== 'config.json') throw new Unexpected(from.pointer, '"config.json"');
  return { ...place, from: from.value };
}

function readCaps(part: Part): EgressCaps {
  return {
    maxBytes: orNull(member(part, 'maxBytes'), count),
    requestsPerMinute: orNull(member(part, 'requestsPerMinute'), count),
  };
}

function readGateway(part: Part): Gateway {
  const provider = text(member(part, 'provider'));
  if (!isProvider(provider)) throw new Unexpected(`${part.pointer}/provider`, 'a provider');
  const mount = text(member(part, 'mount'));
  if (!MOUNT.test(mount)) throw new Unexpected(`${part.pointer}/mount`, 'the beginning of a path');
  const field = member(part, 'field');
  return {
    provider,
    mount,
    base: readBase(member(part, 'base')),
    field: { name: text(member(field, 'name')), word: text(member(field, 'word')) },
    username: orNull(member(part, 'username'), text),
    key: orNull(member(part, 'key'), text),
    placeholder: orNull(member(part, 'placeholder'), text),
    pointer: text(member(part, 'pointer')),
  };
}

function readBase(part: Part): GatewayBase {
  const scheme = text(member(part, 'scheme'));
  if (scheme !== 'http' && scheme !== 'https') throw new Unexpected(`${part.pointer}/scheme`, '"http" or "https"');
  const path = text(member(part, 'path'));
  return { scheme, host: text(member(part, 'host')), port: count(member(part, 'port')), path };
}

function readBudget(part: Part): Budget {
  return { requests: orNull(member(part, 'requests'), count), tokens: orNull(member(part, 'tokens'), count) };
}

function isProvider(name: string): name is ProviderName {
  return Object.hasOwn(PROVIDERS, name);
}

function member({ value, pointer }: Part, name: string): Part {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Unexpected(pointer, 'an object');
  // An absent member reads like null: only some may be.
  const found: unknown = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : null;
  return { value: found, pointer: `${pointer}/${name}` };
}

function list<T>({ value, pointer }: Part, read: (part: Part) => T): readonly T[] {
  if (!Array.isArray(value)) throw new Unexpected(pointer, 'a list');
  return value.map((entry: unknown, index) => read({ value: entry, pointer: `${pointer}/${index}` }));
}

function orNull<T>(part: Part, read: (part: Part) => T): T | null {
  return part.value === null ? null : read(part);
}

function text({ value, pointer }: Part): string {
  if (typeof value !== 'string') throw new Unexpected(pointer, 'a text');
  return value;
}

function count({ value, pointer }: Part): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new Unexpected(pointer, 'a whole number from 0 on');
  return value as number;
}
