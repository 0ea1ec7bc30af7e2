import { quote } from '../base/quote.ts';
import { authorityText, parseAuthority, sameDestination } from './authority.ts';
import type { Destination, EgressIntent } from './intent.ts';
import type { ReasonCode } from './reasons.ts';
import type { RequestHead } from './request-head.ts';
import { readPath } from './request-path.ts';

/** A place to connect to. */
export interface Endpoint {
  readonly destination: Destination;
  readonly port: number;
}

/** What a request wants. */
export type IntentReading = ReadIntent | OriginRequest | RefusedRequest;

/** A request to somebody else, with what is sent upstream if it is allowed. */
export interface ReadIntent {
  readonly kind: 'intent';
  readonly intent: EgressIntent;
  /** Path and query to send upstream; empty for a tunnel. */
  readonly target: string;
  /** Value of the Host field to send upstream. */
  readonly host: string;
  readonly upgrade: 'websocket' | null;
}

/** A request to the proxy itself: an absolute path outside of a tunnel. */
export interface OriginRequest {
  readonly kind: 'origin';
  /** As it is judged, without query. */
  readonly path: string;
  /** With its question mark, or empty. */
  readonly query: string;
}

/** A request that no rule could allow. */
export interface RefusedRequest {
  readonly kind: 'refused';
  readonly reason: ReasonCode;
  /** One sentence for the client. */
  readonly detail: string;
  /** Where it wanted to go, as far as that was understood. */
  readonly about: Endpoint | null;
}

const HTTP_PORT = 80;

/** Methods are in capitals; servers differ in what they make of others. */
const METHOD = /^[A-Z]+(?:-[A-Z]+)*$/;

/** Echo the head, with what proxies added to it (RFC 9110 section 9.3.8). */
const ECHOING = ['TRACE', 'TRACK'];

/** Absolute form: scheme, authority, path and query (RFC 9112 section 3.2.2). */
const ABSOLUTE = /^([A-Za-z][0-9A-Za-z+.-]*):\/\/([^/?#\\]*)([^?#]*)(\?[^#]*)?(#.*)?$/;

/** Reads what a request wants; `within` is the target of the tunnel that it came through, null outside of tunnels. */
export function readIntent(head: RequestHead, within: Endpoint | null): IntentReading {
  if (head.method === 'CONNECT' && within === null) return readTunnel(head);
  if (!METHOD.test(head.method) || ECHOING.includes(head.method) || head.method === 'CONNECT')
    return refused('egress.method-refused', `The method ${head.method} is never passed on.`, within);
  if (!head.target.startsWith('/')) return readAbsolute(head, within);
  const [path = '', query] = splitQuery(head.target);
  if (within !== null) return readForward(head, { endpoint: within, path, query });
  if (head.target.includes('#')) return refused('egress.bad-request', 'The target has a fragment.', null);
  const read = readPath(path);
  return read === null ? ambiguousPath(null) : { kind: 'origin', path: read.judged, query };
}

/** CONNECT: a host and a port, and nothing else. */
function readTunnel(head: RequestHead): IntentReading {
  const authority = parseAuthority(head.target);
  if (authority === null) return badAuthority(head.target);
  const { destination, port } = authority;
  if (port === null) return refused('egress.bad-request', 'CONNECT needs a port.', null);
  const endpoint = { destination, port };
  if (head.upgrade !== null) return refusedUpgrade(head.upgrade, endpoint);
  const fault = hostFault(head, endpoint, null);
  if (fault !== null) return fault;
  const intent: EgressIntent = { form: 'tunnel', ...endpoint, method: 'CONNECT', path: null };
  return { kind: 'intent', intent, target: '', host: authorityText(endpoint), upgrade: null };
}

function readAbsolute(head: RequestHead, within: Endpoint | null): IntentReading {
  const [, scheme, authorityPart = '', path = '', query = '', fragment] = ABSOLUTE.exec(head.target) ?? [];
  if (scheme === undefined)
    return refused(
      'egress.bad-request',
      'The target is neither an absolute URL nor, for CONNECT, a host and a port.',
      within,
    );
  if (scheme.toLowerCase() === 'https')
    return refused('egress.bad-request', 'A URL with https needs a tunnel: use CONNECT.', within);
  if (scheme.toLowerCase() !== 'http')
    return refused('egress.bad-request', `The scheme "${scheme}" is not passed on.`, within);
  if (fragment !== undefined) return refused('egress.bad-request', 'The target has a fragment.', within);
  if (authorityPart.includes('@')) return refused('egress.bad-request', 'The target has user information.', within);
  const authority = parseAuthority(authorityPart);
  if (authority === null) return badAuthority(authorityPart);
  const endpoint = { destination: authority.destination, port: authority.port ?? HTTP_PORT };
  if (within !== null && !sameEndpoint(endpoint, within)) return mismatch(within);
  return readForward(head, { endpoint, path: path === '' ? '/' : path, query });
}

/** Parts of a request whose method and path are visible. */
interface Forward {
  readonly endpoint: Endpoint;
  readonly path: string;
  readonly query: string;
}

function readForward(head: RequestHead, { endpoint, path, query }: Forward): IntentReading {
  const fault = hostFault(head, endpoint, HTTP_PORT);
  if (fault !== null) return fault;
  if (path.includes('#') || query.includes('#'))
    return refused('egress.bad-request', 'The target has a fragment.', endpoint);
  const read = readPath(path);
  if (read === null) return ambiguousPath(endpoint);
  const { upgrade } = head;
  if (upgrade !== null && upgrade !== 'websocket') return refusedUpgrade(upgrade, endpoint);
  const isHandshake = head.method === 'GET' && head.version === '1.1' && head.connection.includes('upgrade');
  if (upgrade !== null && !isHandshake)
    return refused(
      'egress.upgrade',
      'An upgrade to websocket is a GET in HTTP/1.1 with "Connection: Upgrade".',
      endpoint,
    );
  const { destination, port } = endpoint;
  const intent: EgressIntent = { form: 'http', destination, port, method: head.method, path: read.judged };
  return { kind: 'intent', intent, target: `${read.sent}${query}`, host: authorityText(endpoint, HTTP_PORT), upgrade };
}

/** What is wrong with the Host field; without one (HTTP/1.0) the target alone says where to. */
function hostFault(head: RequestHead, endpoint: Endpoint, defaultPort: number | null): RefusedRequest | null {
  const field = head.fields.find(({ name }) => name === 'host');
  if (field === undefined) {
    const isNamed = !head.target.startsWith('/');
    return isNamed ? null : refused('egress.bad-request', 'The head has no Host field.', endpoint);
  }
  // As most clients write it: there is nothing to parse.
  if (field.value === authorityText(endpoint, defaultPort)) return null;
  const named = parseAuthority(field.value);
  if (named === null)
    return refused('egress.host-name', 'The Host field is not a host with or without a port.', endpoint);
  const port = named.port ?? defaultPort ?? endpoint.port;
  return sameEndpoint({ destination: named.destination, port }, endpoint) ? null : mismatch(endpoint);
}

function sameEndpoint(one: Endpoint, other: Endpoint): boolean {
  return one.port === other.port && sameDestination(one.destination, other.destination);
}

/** Path and query, the query with its question mark. */
function splitQuery(target: string): readonly [string, string] {
  const mark = target.indexOf('?');
  return mark === -1 ? [target, ''] : [target.slice(0, mark), target.slice(mark)];
}

function mismatch(about: Endpoint): RefusedRequest {
  const outside = authorityText(about);
  return refused('egress.host-mismatch', `The target is ${outside}, but the request names another host.`, about);
}

function badAuthority(text: string): RefusedRequest {
  return refused('egress.host-name', `${quote(text)} is not a plain host name, an address or one with a port.`, null);
}

function ambiguousPath(about: Endpoint | null): RefusedRequest {
  return refused('egress.bad-request', 'Servers read this path in different ways.', about);
}

function refusedUpgrade(upgrade: string, about: Endpoint): RefusedRequest {
  return refused('egress.upgrade', `An upgrade to ${quote(upgrade)} is not passed on.`, about);
}

function refused(reason: ReasonCode, detail: string, about: Endpoint | null): RefusedRequest {
  return { kind: 'refused', reason, detail, about };
}
