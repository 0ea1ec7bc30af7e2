import { parseAddress } from '../../../src/policy/address.ts';
import type { EgressIntent } from '../../../src/policy/intent.ts';
import type { EgressPolicy, EgressRule } from '../../../src/policy/table.ts';
import type { Random } from '../card/random.ts';
import { denial, request, rule, tunnel } from './sample-policy.ts';

const NAMES = ['example.com', 'a.example.com', 'b.a.example.com', 'example.org', 'a.example.org', 'intranet'] as const;
const WILDCARDS = ['*.example.com', '*.a.example.com', '*.example.org', '*'] as const;
const ADDRESSES = [
  ...['11.0.0.5', '11.0.1.5', '10.0.0.1', '10.1.0.1', '127.0.0.1', '169.254.169.254', '0.0.0.0', '192.168.1.1'],
  ...['2606:4700::1', 'fd12::1', '::1', 'fd00:ec2::254', '2001:db8::1', '100.64.0.1'],
] as [string, ...string[]];
const CARRIERS = ['::ffff:10.0.0.1', '64:ff9b::a00:1', '2002:a00:1::1', '64:ff9b::b00:5', '::ffff:11.0.0.5'] as const;
const RANGES = [
  '11.0.0.0/24',
  '11.0.0.0/8',
  '10.0.0.0/8',
  '10.0.0.0/16',
  '0.0.0.0/0',
  '127.0.0.0/8',
  '::/0',
  'fd00::/8',
] as const;
const PORTS = [80, 443, 5432] as const;
const METHODS = ['GET', 'POST'] as const;
const PATHS = ['/', '/api', '/api/', '/apix', '/api/v1'] as const;

/** What a policy is made of: with methods and paths or without. */
export interface PolicyKind {
  readonly hasLimits: boolean;
}

/** A policy of a few rules whose hosts meet often. */
export function makePolicy(random: Random, kind: PolicyKind): EgressPolicy {
  const allow = Array.from({ length: random.below(6) }, (_, index) =>
    makeRule(random, kind, `/allowed_hosts/${index}`),
  );
  const deny = Array.from({ length: random.below(3) }, (_, index) =>
    makeDenial(random, kind, `/denied_hosts/${index}`),
  );
  return { allow, deny };
}

/** A rule that allows. */
export function makeRule(random: Random, { hasLimits }: PolicyKind, pointer: string): EgressRule {
  const ports = PORTS.filter(() => !random.once(3));
  return rule(makeHost(random), {
    pointer,
    ports: ports.length === 0 ? [443] : ports,
    methods: hasLimits && random.once(3) ? [random.pick(METHODS)] : null,
    paths: hasLimits && random.once(3) ? [random.pick(PATHS)] : null,
    protocol: random.once(4) ? 'tcp' : 'tls',
  });
}

/** A rule that denies. */
export function makeDenial(random: Random, kind: PolicyKind, pointer: string): EgressRule {
  const made = makeRule(random, kind, pointer);
  return denial(made.host, { ...made, ports: random.once(2) ? null : made.ports });
}

/** A request for a name or an address. */
export function makeIntent(random: Random): EgressIntent {
  const host = random.once(3) ? makeAddress(random) : random.pick(NAMES);
  const port = random.once(8) ? 8080 : random.pick(PORTS);
  if (random.once(2)) return tunnel(host, port);
  return request(host, { port, method: random.pick(METHODS), path: random.pick(PATHS) });
}

/** What a lookup of the host of a request answers. */
export function makeAnswers(random: Random, intent: EgressIntent, count: number): readonly string[] {
  if (intent.destination.kind === 'address') return [intent.destination.address.text];
  return Array.from({ length: count }, () => makeAddress(random));
}

/** A host in another form that means the same. */
export function respell(random: Random, host: string): string {
  const cased = [...host].map((character) => (random.once(2) ? character.toUpperCase() : character)).join('');
  return parseAddress(host) === null && /[a-z]$/.test(host) && random.once(2) ? `${cased}.` : cased;
}

function makeAddress(random: Random): string {
  return random.once(5) ? random.pick(CARRIERS) : random.pick(ADDRESSES);
}

function makeHost(random: Random): string {
  return random.pick([random.pick(NAMES), random.pick(WILDCARDS), random.pick(ADDRESSES), random.pick(RANGES)]);
}
