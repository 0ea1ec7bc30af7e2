import assert from 'node:assert/strict';
import type { Address } from '../../../src/policy/address.ts';
import { type CidrReading, cidrContains, parseCidr } from '../../../src/policy/cidr.ts';
import { destinationText, type EgressIntent } from '../../../src/policy/intent.ts';
import { address } from './sample-policy.ts';

/** What squid knows of a request: the only answer of a lookup, null when it may not look up. */
export interface SquidRequest {
  readonly intent: EgressIntent;
  readonly answer: string | null;
}

/** Whether squid lets a request through: the first access line of which every list matches decides (squid.conf, http_access). */
export function readSquid(configuration: string): (request: SquidRequest) => boolean {
  const lists = new Map<string, string[][]>();
  const access: string[][] = [];
  for (const line of configuration.split('\n')) {
    const words = line.split(' ');
    const [kind = '', name = ''] = words;
    if (kind === 'acl') lists.set(name, [...(lists.get(name) ?? []), words.slice(2)]);
    else if (kind === 'http_access') access.push(words.slice(1));
    else assert.match(line, /^(?:#.*)?$/);
    for (const used of kind === 'http_access' ? words.slice(2) : [])
      assert.ok(used === 'all' || lists.has(used.replace('!', '')), `${used} is used before it is there`);
  }
  for (const [name, entries] of lists) assertApart(name, entries);
  return (request) => {
    const line = access.find(([, ...names]) => names.every((name) => matches(lists, name, request)));
    assert.ok(line, 'no line decides');
    return line[0] === 'allow';
  };
}

/** Of two values that overlap squid drops one. */
function assertApart(name: string, entries: readonly (readonly string[])[]): void {
  assert.equal(new Set(entries.map(([type]) => type)).size, 1, `${name} has several types`);
  if (entries[0]?.[0] !== 'dst') return;
  const ranges = entries.flatMap((words) => rangeOf(words.at(-1) ?? ''));
  for (const outer of ranges) {
    const inside = ranges.filter(
      (inner) => inner !== outer && cidrContains(outer, inner.address) && outer.prefix <= inner.prefix,
    );
    assert.deepEqual(inside, [], `${name} holds ${outer.text} and what lies in it`);
  }
}

function matches(
  lists: ReadonlyMap<string, readonly (readonly string[])[]>,
  name: string,
  request: SquidRequest,
): boolean {
  if (name === 'all') return true;
  if (name.startsWith('!')) return !matches(lists, name.slice(1), request);
  return (lists.get(name) ?? []).some((words) => matchesValue(words, request));
}

function matchesValue(words: readonly string[], { intent, answer }: SquidRequest): boolean {
  const [type] = words;
  const value = words.at(-1) ?? '';
  const text = destinationText(intent.destination);
  const host = text.includes(':') ? `[${text}]` : text;
  if (type === 'method') return intent.method === value;
  if (type === 'port') return String(intent.port) === value;
  if (type === 'dstdomain') return host === value;
  if (type === 'dstdom_regex') return new RegExp(value, words.includes('-i') ? 'i' : '').test(host);
  if (type === 'urlpath_regex') return new RegExp(value).test(`${intent.path}?query=1`);
  assert.equal(type, 'dst');
  if (intent.destination.kind === 'name' && words.includes('-n')) return false;
  assert.ok(intent.destination.kind === 'address' || answer !== null, `${text} is looked up`);
  const found = address(intent.destination.kind === 'address' ? text : (answer ?? ''));
  return rangeOf(value).some((range) => cidrContains(range, range.address.family === 6 ? mapped(found) : found));
}

function rangeOf(text: string): readonly Extract<CidrReading, { readonly ok: true }>['cidr'][] {
  const reading = parseCidr(text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`);
  assert.ok(reading.ok, text);
  assert.notEqual(reading.cidr.text, '0.0.0.0/0', 'squid would take it for everything');
  return [reading.cidr];
}

/** Squid keeps every address as one of IPv6, and compares ranges of IPv6 with that. */
function mapped(found: Address): Address {
  return found.family === 6 ? found : address(`::ffff:${found.text}`);
}
