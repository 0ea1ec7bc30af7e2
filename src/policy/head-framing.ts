import { quote } from '../base/quote.ts';
import type { BadHead, BodyFraming, Field, RequestHead } from './request-head.ts';
import { trimBlanks } from './white-space.ts';

/** Methods of requests without a body: some servers take it for the next request. */
const WITHOUT_BODY = ['CONNECT', 'GET', 'HEAD', 'TRACE'];

/** Fields that say where a request ends or goes; a client that has a proxy drop them means harm. */
const NEVER_DROPPED = ['content-length', 'host', 'transfer-encoding'];

/** At most 15 digits, so that every length is a safe integer. */
const LENGTH = /^(?:0|[1-9][0-9]{0,14})$/;

/** RFC 9110 section 5.6.2, lower case. */
const OPTION = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

/** How the body of a request ends. Whatever two servers may read differently is refused. */
export function readFraming(
  { method, version }: Pick<RequestHead, 'method' | 'version'>,
  fields: readonly Field[],
): BodyFraming | BadHead {
  const lengths = valuesOf(fields, 'content-length');
  const codings = valuesOf(fields, 'transfer-encoding');
  const [length] = lengths;
  const [coding] = codings;
  if (lengths.length > 1) return bad('The head has several Content-Length fields.');
  if (coding !== undefined) {
    if (length !== undefined) return bad('The head has Content-Length and Transfer-Encoding.');
    if (version === '1.0') return bad('HTTP/1.0 has no Transfer-Encoding.');
    if (codings.length > 1 || coding !== 'chunked') return bad('The one Transfer-Encoding that is read is "chunked".');
    if (WITHOUT_BODY.includes(method)) return bad(`A ${method} request with a body is not passed on.`);
    return { kind: 'chunked' };
  }
  if (length === undefined) return { kind: 'none' };
  if (!LENGTH.test(length)) return bad(`Content-Length is ${quote(length)}, which is not a plain number.`);
  if (!WITHOUT_BODY.includes(method)) return { kind: 'length', bytes: Number(length) };
  return length === '0' ? { kind: 'none' } : bad(`A ${method} request with a body is not passed on.`);
}

/** What a head says of the connection it came on. */
export function readConnection(
  { version }: Pick<RequestHead, 'version'>,
  fields: readonly Field[],
  body: BodyFraming,
): Pick<RequestHead, 'connection' | 'keepAlive' | 'upgrade' | 'expectContinue'> | BadHead {
  const connection = valuesOf(fields, 'connection')
    .flatMap((value) => value.split(','))
    .map((option) => trimBlanks(option).toLowerCase())
    .filter((option) => option !== '');
  const odd = connection.find((option) => !OPTION.test(option) || NEVER_DROPPED.includes(option));
  if (odd !== undefined) return bad(`The Connection field names ${quote(odd)}.`);
  const upgrades = valuesOf(fields, 'upgrade');
  if (upgrades.length > 1) return bad('The head has several Upgrade fields.');
  const expectations = valuesOf(fields, 'expect');
  if (expectations.some((value) => value.toLowerCase() !== '100-continue'))
    return bad('The one expectation that is met is "100-continue".');
  const isLasting = version === '1.1' || connection.includes('keep-alive');
  return {
    connection,
    keepAlive: isLasting && !connection.includes('close'),
    upgrade: upgrades[0]?.toLowerCase() ?? null,
    expectContinue: expectations.length > 0 && version === '1.1' && body.kind !== 'none',
  };
}

function valuesOf(fields: readonly Field[], wanted: string): readonly string[] {
  return fields.filter(({ name }) => name === wanted).map(({ value }) => value);
}

function bad(detail: string): BadHead {
  return { kind: 'bad', reason: 'egress.bad-request', detail };
}
