import { parseAddress } from './address.ts';
import { authorityText } from './authority.ts';
import { gatewayQuery } from './gateway-query.ts';
import type { Destination, EgressIntent } from './intent.ts';
import { liesBelow, plainPercents } from './path-prefix.ts';
import { PROVIDERS } from './provider.ts';
import type { Gateway, GatewayBase } from './table.ts';

/** What a request to a gateway becomes at its API. */
export interface GatewayRequest {
  readonly intent: EgressIntent;
  /** Path and query to send. */
  readonly target: string;
  /** Value of the Host field to send. */
  readonly host: string;
}

/** What a client asks of a gateway. */
export interface GatewayAsking {
  readonly method: string;
  /** As it is judged. */
  readonly path: string;
  /** With its question mark, or empty. */
  readonly query: string;
}

/** Nothing of an API that agents use needs more; others change what the account has. */
const METHODS: readonly string[] = ['GET', 'HEAD', 'POST'];

/**
 * The paths of git's protocol below a repository, and their methods (gitprotocol-http(5); git-lfs, docs/api: clients put
 * `.git` before `/info/lfs`, which keeps files of that name in a forge's own API out).
 */
const GIT_PATHS: readonly (readonly [path: RegExp, methods: readonly string[]])[] = [
  [/[^/]\/info\/refs$/, ['GET', 'HEAD']],
  [/[^/]\/git-(?:upload|receive)-pack$/, ['POST']],
  [/[^/]\.git\/info\/lfs\/./, METHODS],
];

/** The gateway that a path at the proxy belongs to, as it is judged; null for none. */
export function findGateway(gateways: readonly Gateway[], path: string): Gateway | null {
  return gateways.find(({ mount }) => liesBelow(path, mount)) ?? null;
}

/** What a request to a gateway is to be sent as, or null when the gateway does not pass it on. What is judged is sent. */
export function gatewayRequest(gateway: Gateway, { method, path, query }: GatewayAsking): GatewayRequest | null {
  if (!METHODS.includes(method) || !isUtf8(path)) return null;
  const rest = path.slice(gateway.mount.length);
  const mapped = gateway.provider === 'git' ? gitPath(gateway, method, rest) : apiPath(gateway, method, rest);
  if (mapped === null) return null;
  const { base } = gateway;
  const intent: EgressIntent = {
    form: 'gateway',
    destination: baseDestination(base),
    port: base.port,
    method,
    path: mapped,
    mount: gateway.mount,
  };
  const host = authorityText(intent, base.scheme === 'https' ? 443 : 80);
  return { intent, target: `${mapped}${gatewayQuery(query)}`, host };
}

/** Whether escapes are of UTF-8: out of others some servers read dots and slashes (RFC 3629 section 10). */
function isUtf8(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

/** Where a gateway leads. */
export function baseDestination({ host }: GatewayBase): Destination {
  const address = parseAddress(host);
  return address === null ? { kind: 'name', name: host } : { kind: 'address', address };
}

/** The path of a base URL in the form of the paths of requests. */
export function basePath({ path }: GatewayBase): string {
  return plainPercents(path);
}

function apiPath({ provider, base }: Gateway, method: string, rest: string): string | null {
  const { calls } = PROVIDERS[provider];
  if (calls?.some((call) => call.methods.includes(method) && call.path.test(rest)) === false) return null;
  const path = `${basePath(base)}${rest}`;
  return path === '' ? '/' : path;
}

function gitPath(gateway: Gateway, method: string, path: string): string | null {
  if (!isOfBase(gateway, path)) return null;
  const fits = GIT_PATHS.some(([form, methods]) => form.test(path) && methods.includes(method));
  return fits ? path : null;
}

/** Git's own paths of one repository. */
const OWN_GIT_PATH = /^\/(?:info\/refs|git-(?:upload|receive)-pack|info\/lfs\/.+)$/;

/**
 * Whether a path at the API lies within the base URL of a gateway. A repository that is the base itself may be called by
 * its name with `.git` too, as people do and git-lfs does; what lies below such a name is somebody else's.
 */
export function isOfBase({ provider, base }: Gateway, path: string): boolean {
  const below = basePath(base);
  if (below === '' || liesBelow(path, below)) return true;
  const named = `${below}.git`;
  return provider === 'git' && path.startsWith(named) && OWN_GIT_PATH.test(path.slice(named.length));
}
