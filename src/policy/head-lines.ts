import { REQUEST_FIELDS_MAX, REQUEST_METHOD_BYTES_MAX, REQUEST_TARGET_BYTES_MAX } from '../base/limits.ts';
import { quote } from '../base/quote.ts';
import { readConnection, readFraming } from './head-framing.ts';
import type { BadHead, Field, RequestHead } from './request-head.ts';
import { trimBlanks } from './white-space.ts';

/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

type RequestLine = Pick<RequestHead, 'method' | 'target' | 'version'>;

/** Parses a head whose lines are known to end in CR LF and to hold no other control characters than tabs; without the empty line. */
export function parseHead(text: string): RequestHead | BadHead {
  const lines = text.split('\r\n');
  const line = parseRequestLine(lines.shift() ?? '');
  if ('kind' in line) return line;
  if (lines.length > REQUEST_FIELDS_MAX) {
    const detail = `The head has ${lines.length} fields; ${REQUEST_FIELDS_MAX} are the most.`;
    return { kind: 'bad', reason: 'egress.head-too-large', detail };
  }
  const fields: Field[] = [];
  for (const fieldLine of lines) {
    const field = parseField(fieldLine);
    if ('kind' in field) return field;
    fields.push(field);
  }
  const hosts = fields.filter(({ name }) => name === 'host').length;
  if (hosts > 1) return bad('The head has several Host fields.');
  if (hosts === 0 && line.version === '1.1') return bad('The head has no Host field.');
  const body = readFraming(line, fields);
  if (body.kind === 'bad') return body;
  const connection = readConnection(line, fields, body);
  if ('kind' in connection) return connection;
  const { method, target, version } = line;
  // Written out: spreading objects together takes longer than all the rest.
  return {
    method,
    target,
    version,
    fields,
    body,
    connection: connection.connection,
    keepAlive: connection.keepAlive,
    upgrade: connection.upgrade,
    expectContinue: connection.expectContinue,
  };
}

function parseRequestLine(line: string): RequestLine | BadHead {
  const [method = '', target = '', protocol = '', ...more] = line.split(' ');
  if (protocol === '' || target === '' || more.length > 0)
    return bad('The first line is not a method, a target and a version with one space between them.');
  if (protocol === 'HTTP/2.0') return bad('HTTP/2 without TLS is not spoken here; use HTTP/1.1.');
  if (protocol !== 'HTTP/1.1' && protocol !== 'HTTP/1.0')
    return bad(`The version is ${quote(protocol)}; it must be HTTP/1.1 or HTTP/1.0.`);
  if (method.length > REQUEST_METHOD_BYTES_MAX) return bad(`The method ${quote(method)} is too long.`);
  if (!TOKEN.test(method)) return bad(`The method ${quote(method)} is not a token.`);
  if (target.length > REQUEST_TARGET_BYTES_MAX) {
    const detail = `The target has more than ${REQUEST_TARGET_BYTES_MAX} bytes.`;
    return { kind: 'bad', reason: 'egress.head-too-large', detail };
  }
  if (!/^[!-~]+$/.test(target)) return bad('The target holds characters that are not visible ASCII.');
  return { method, target, version: protocol === 'HTTP/1.1' ? '1.1' : '1.0' };
}

function parseField(line: string): Field | BadHead {
  if (line.startsWith(' ') || line.startsWith('\t')) return bad('A field is continued on a second line.');
  const colon = line.indexOf(':');
  if (colon === -1) return bad('A line of the head has no colon.');
  const name = line.slice(0, colon);
  if (name.endsWith(' ') || name.endsWith('\t')) return bad(`White space stands before the colon of ${quote(name)}.`);
  if (!TOKEN.test(name)) return bad(`The name of the field ${quote(name)} is not a token.`);
  return { name: name.toLowerCase(), value: trimBlanks(line, colon + 1) };
}

function bad(detail: string): BadHead {
  return { kind: 'bad', reason: 'egress.bad-request', detail };
}
