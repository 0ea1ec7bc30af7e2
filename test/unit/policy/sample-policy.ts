import assert from 'node:assert/strict';
import { type Address, parseAddress } from '../../../src/policy/address.ts';
import type { Destination, EgressIntent } from '../../../src/policy/intent.ts';
import { DEFAULT_PORTS } from '../../../src/policy/pattern.ts';
import { type CompiledPolicy, compilePolicy } from '../../../src/policy/rules.ts';
import type { EgressRule } from '../../../src/policy/table.ts';

/** A rule of a list of hosts, as a card without further keys gives it. */
export function rule(host: string, more: Partial<EgressRule> = {}): EgressRule {
  const rest = { methods: null, paths: null, protocol: 'tls', reason: null } as const;
  return { host, ports: DEFAULT_PORTS, ...rest, pointer: '/allowed_hosts/0', ...more };
}

/** A rule that denies a host on every port. */
export function denial(host: string, more: Partial<EgressRule> = {}): EgressRule {
  return rule(host, { ports: null, pointer: '/denied_hosts/0', ...more });
}

/** A policy of hosts, or of whole rules, with pointers that count. */
export function policyOf(
  allow: readonly (string | EgressRule)[],
  deny: readonly (string | EgressRule)[] = [],
): CompiledPolicy {
  const result = compilePolicy({
    allow: allow.map((entry, index) => take(entry, `/allowed_hosts/${index}`, rule)),
    deny: deny.map((entry, index) => take(entry, `/denied_hosts/${index}`, denial)),
  });
  assert.ok(result.ok, JSON.stringify(result));
  return result.value;
}

function take(entry: string | EgressRule, pointer: string, make: (host: string) => EgressRule): EgressRule {
  return { ...(typeof entry === 'string' ? make(entry) : entry), pointer };
}

/** An address that the test knows to be one. */
export function address(text: string): Address {
  const found = parseAddress(text);
  assert.ok(found, text);
  return found;
}

/** A tunnel to a host, a name in canonical form or any form of an address. */
export function tunnel(host: string, port = 443): EgressIntent {
  return { form: 'tunnel', destination: destination(host), port, method: 'CONNECT', path: null };
}

/** A plain request. */
export function request(host: string, more: Partial<EgressIntent> = {}): EgressIntent {
  return { form: 'http', destination: destination(host), port: 80, method: 'GET', path: '/', ...more };
}

function destination(host: string): Destination {
  const found = parseAddress(host);
  return found === null ? { kind: 'name', name: host } : { kind: 'address', address: found };
}
