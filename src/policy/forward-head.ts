import type { RequestHead } from './request-head.ts';
import { trimBlanks } from './white-space.ts';

/** Names and values in turn, as node's `rawHeaders` has them and as `headers` of its `http.request` takes them. */
export type RawFields = readonly string[];

/** What a forwarded request is rebuilt from besides its head. */
export interface ForwardOptions {
  /** Value of the Host field. */
  readonly host: string;
  readonly upgrade: 'websocket' | null;
}

/** Fields that belong to one connection (RFC 9110 section 7.6.1) whether or not the Connection field names them. */
const HOP_BY_HOP = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Fields of a request that are rebuilt, or answered by the proxy itself. */
const REBUILT = new Set(['content-length', 'expect', 'host']);

/** Fields of the proxy's own refusals, which no upstream may imitate. */
const OWN = /^(?:proxy|x-agent-spawn)-/;

/** RFC 9110 section 5.6.2 and 5.5: what a field may consist of. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t -~\u0080-\u00ff]*$/;

/**
 * Fields to send upstream: Host first and rebuilt, the framing of the body rebuilt, nothing that concerns the client's
 * connection to the proxy only, no Expect (the proxy answers it), no credentials for a proxy.
 */
export function requestFields(head: RequestHead, { host, upgrade }: ForwardOptions): RawFields {
  const fields: string[] = ['host', host];
  for (const { name, value } of head.fields) {
    if (!isDropped(name, head.connection) && !REBUILT.has(name)) fields.push(name, value);
  }
  if (head.body.kind === 'length') fields.push('content-length', String(head.body.bytes));
  if (head.body.kind === 'chunked') fields.push('transfer-encoding', 'chunked');
  if (upgrade !== null) fields.push('connection', 'Upgrade', 'upgrade', upgrade);
  return fields;
}

/** A request's head; each character stands for the byte of its number. */
export function renderRequestHead(line: Pick<RequestHead, 'method' | 'target'>, fields: RawFields): string {
  return `${line.method} ${line.target} HTTP/1.1\r\n${renderFields(fields)}\r\n`;
}

/**
 * Fields of an upstream's answer that go to the client: without those of the connection, of proxies, and of framing
 * except Content-Length. What is not well formed is left out.
 */
export function responseFields(raw: RawFields): RawFields {
  const connection: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    if (raw[index]?.toLowerCase() !== 'connection') continue;
    for (const option of raw[index + 1]?.split(',') ?? []) connection.push(trimBlanks(option).toLowerCase());
  }
  const fields: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const [name = '', value = ''] = [raw[index], raw[index + 1]];
    if (!isDropped(name.toLowerCase(), connection) && NAME.test(name) && VALUE.test(value)) fields.push(name, value);
  }
  return fields;
}

/** A response's head in HTTP/1.1; each character stands for the byte of its number. */
export function renderResponseHead(status: number, phrase: string, fields: RawFields): string {
  return `HTTP/1.1 ${status} ${VALUE.test(phrase) ? phrase : ''}\r\n${renderFields(fields)}\r\n`;
}

function isDropped(name: string, connection: readonly string[]): boolean {
  return HOP_BY_HOP.has(name) || OWN.test(name) || connection.includes(name);
}

function renderFields(fields: RawFields): string {
  let text = '';
  for (let index = 0; index + 1 < fields.length; index += 2) text += `${fields[index]}: ${fields[index + 1]}\r\n`;
  return text;
}
