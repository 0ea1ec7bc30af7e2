import { sha256 } from '../base/digest.ts';
import { ok, type Problem, type Result, refused } from '../base/result.ts';
import type { ResolvedCard, ResolvedCredential } from '../card/resolve.ts';
import { parseAddress } from '../policy/address.ts';
import { classifyAddress } from '../policy/address-class.ts';
import { type CredentialField, PROVIDERS } from '../policy/provider.ts';
import type { Gateway, GatewayBase } from '../policy/table.ts';

/** One credential of a card, decided. */
export interface PlannedCredential {
  readonly credential: ResolvedCredential;
  /** How it is used on the agent's behalf, without the key; null when the agent gets the key itself. */
  readonly gateway: Gateway | null;
  /** Variable of the agent's environment that the key itself is in; null with a gateway. */
  readonly variable: string | null;
}

/** Hexadecimal digits of a placeholder: enough that none is like another by chance. */
const PLACEHOLDER_DIGITS = 40;

/** What becomes of each credential of a card, in the card's order, or everything that is wrong with them. */
export function planCredentials(card: ResolvedCard): Result<readonly PlannedCredential[]> {
  const planned = card.credentials.map((credential) => plan(card, credential));
  const problems = planned.flatMap((result) => (result.ok ? [] : result.problems));
  if (problems.length > 0) return refused(problems);
  const credentials = planned.flatMap((result) => (result.ok ? [result.value] : []));
  const twice = sharedMounts(credentials);
  return twice.length > 0 ? refused(twice) : ok(credentials);
}

function plan(card: ResolvedCard, credential: ResolvedCredential): Result<PlannedCredential> {
  const provider = PROVIDERS[credential.provider];
  if (card.apiKeyDelivery === 'env' && credential.provider !== 'git') {
    const variable = credential.variable ?? provider.variable;
    return ok({ credential, gateway: null, variable: credential.keyFile === null ? null : variable });
  }
  const base = parseBase(credential.baseUrl ?? provider.baseUrl ?? '');
  const problem = baseProblem(base, credential);
  if (problem !== null) return refused([problem]);
  return ok({ credential, gateway: gatewayOf(card.agentId, credential, base), variable: null });
}

function gatewayOf(id: string, credential: ResolvedCredential, base: GatewayBase): Gateway {
  const { provider, header, username, pointer } = credential;
  const { mount, field, keyPrefix } = PROVIDERS[provider];
  const isGit = provider === 'git';
  return {
    provider,
    mount: isGit || provider === 'custom' ? `${mount}/${authorityOf(base)}` : mount,
    base,
    field: header === null ? field : parseField(header),
    username: isGit ? (username ?? 'x-access-token') : null,
    key: null,
    placeholder: isGit ? null : placeholder(id, keyPrefix, `${provider} ${authorityOf(base)}`),
    pointer,
  };
}

/** A text shaped like a key of the provider, that nobody else's agent and no other gateway has. */
function placeholder(id: string, prefix: string, what: string): string {
  const digest = Buffer.from(sha256(`placeholder ${id} ${what}`)).toString('hex');
  return `${prefix}agentspawn${digest.slice(0, PLACEHOLDER_DIGITS)}`;
}

/** A base URL that the schema took. */
function parseBase(text: string): GatewayBase {
  const { protocol, hostname, port, pathname } = new URL(text);
  const scheme = protocol === 'https:' ? 'https' : 'http';
  const standardPort = scheme === 'https' ? 443 : 80;
  return {
    scheme,
    host: hostname.replace(/^\[|\]$/g, '').replace(/\.$/, ''),
    port: port === '' ? standardPort : Number(port),
    path: pathname.replace(/\/+$/, ''),
  };
}

function authorityOf({ scheme, host, port }: GatewayBase): string {
  const text = host.includes(':') ? `[${host}]` : host;
  return port === (scheme === 'https' ? 443 : 80) ? text : `${text}:${port}`;
}

function parseField(header: string): CredentialField {
  const [name = '', word = ''] = header.split(': ');
  return { name: name.toLowerCase(), word };
}

/** Without TLS nobody proves to be who is meant, so the address itself is written out and is none of the internet's. */
function baseProblem(base: GatewayBase, { pointer }: ResolvedCredential): Problem | null {
  if (base.scheme === 'https') return null;
  const address = parseAddress(base.host);
  if (address !== null && classifyAddress(address) !== 'public') return null;
  return {
    code: 'plan.credentials-refused',
    pointer: `${pointer}/base_url`,
    message: `The base URL of ${pointer} has no TLS, so anybody on the way could read the key.`,
    suggestion: 'Write https://, or the address of a server in your own network.',
  };
}

function sharedMounts(credentials: readonly PlannedCredential[]): readonly Problem[] {
  const seen = new Map<string, string>();
  return credentials.flatMap(({ credential, gateway }) => {
    if (gateway === null) return [];
    const first = seen.get(gateway.mount);
    if (first === undefined) seen.set(gateway.mount, credential.pointer);
    if (first === undefined) return [];
    const isServer = credential.provider === 'git' || credential.provider === 'custom';
    const message = `${credential.pointer} and ${first} are for the same ${isServer ? 'server' : 'provider'}, and there is one way to it.`;
    const suggestion = isServer
      ? 'Remove one of the two; a key that may do both will do.'
      : 'Remove one of the two; further servers of one kind are "custom" ones.';
    return [{ code: 'card.conflict' as const, pointer: credential.pointer, message, suggestion }];
  });
}
