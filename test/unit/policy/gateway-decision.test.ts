import assert from 'node:assert/strict';
import test from 'node:test';
import { parseAddress } from '../../../src/policy/address.ts';
import { decideGateway, decideGatewayAddresses, gatewayUpstream } from '../../../src/policy/gateway-decision.ts';
import { gatewayRequest } from '../../../src/policy/gateway-path.ts';
import type { EgressIntent } from '../../../src/policy/intent.ts';
import { type CompiledPolicy, compilePolicy } from '../../../src/policy/rules.ts';
import type { EgressRule, Gateway, GatewayBase, UpstreamProxy } from '../../../src/policy/table.ts';

const API: Gateway = {
  provider: 'custom',
  mount: '/custom/api.example.com',
  base: { scheme: 'https', host: 'api.example.com', port: 443, path: '/llm' },
  field: { name: 'authorization', word: 'Bearer' },
  username: null,
  key: 'sk-real-1234567890',
  placeholder: null,
  pointer: '/credentials/0',
};

function denying(...rules: readonly Partial<EgressRule>[]): CompiledPolicy {
  const defaults = { ports: null, methods: null, paths: null, protocol: 'tls', reason: null } as const;
  const deny = rules.map((rule, index) => ({ ...defaults, host: '*', pointer: `/denied_hosts/${index}`, ...rule }));
  const compiled = compilePolicy({ allow: [], deny });
  assert.ok(compiled.ok);
  return compiled.value;
}

function intentOf(gateway: Gateway, method = 'POST', rest = '/v1'): EgressIntent {
  const request = gatewayRequest(gateway, { method, path: `${gateway.mount}${rest}`, query: '' });
  assert.ok(request !== null);
  return request.intent;
}

function based(base: Partial<GatewayBase>): Gateway {
  return { ...API, base: { ...API.base, ...base } };
}

function addresses(...texts: readonly string[]): NonNullable<ReturnType<typeof parseAddress>>[] {
  return texts.map(parseAddress).filter((address) => address !== null);
}

test('nothing needs to allow a gateway, and the decision names where it stands in the card', () => {
  const { verdict, reason, rule, message, gateway } = decideGateway(denying(), [API], intentOf(API));
  assert.deepEqual(
    [verdict, reason, rule, message, gateway],
    [
      ...['allow', 'egress.allowed', '/credentials/0'],
      'The gateway /custom/api.example.com leads to api.example.com:443.',
      API,
    ],
  );
});

test('what is denied of the host is denied to the gateway', () => {
  const denied: readonly (readonly [rule: Partial<EgressRule>, isDenied: boolean])[] = [
    [{ host: 'api.example.com' }, true],
    [{ host: '*.example.com' }, true],
    [{ host: '*' }, true],
    [{ host: 'api.example.com', ports: [443] }, true],
    [{ host: 'api.example.com', ports: [80] }, false],
    [{ host: 'api.example.com', methods: ['POST'] }, true],
    [{ host: 'api.example.com', methods: ['GET'] }, false],
    [{ host: 'api.example.com', paths: ['/llm/v1'] }, true],
    [{ host: 'api.example.com', paths: ['/v1'] }, false],
    [{ host: 'example.com' }, false],
  ];
  for (const [rule, isDenied] of denied) {
    const { verdict, rule: pointer } = decideGateway(denying(rule), [API], intentOf(API));
    const expected = isDenied ? ['deny', '/denied_hosts/0'] : ['allow', '/credentials/0'];
    assert.deepEqual([verdict, pointer], expected, JSON.stringify(rule));
  }
});

test('a gateway that is gone, or leads elsewhere, is none for requests that were made of it', () => {
  const intent = intentOf(API);
  const others = [
    [],
    [{ ...API, mount: '/custom/other.example.com' }],
    [based({ host: 'other.example.com' })],
    [based({ port: 8443 })],
    [based({ path: '/other' })],
  ];
  for (const gateways of others) {
    const { verdict, reason, gateway } = decideGateway(denying(), gateways, intent);
    assert.deepEqual([verdict, reason, gateway], ['deny', 'egress.no-gateway', null]);
  }
  const { verdict } = decideGateway(denying(), [{ ...API, key: 'sk-other-1234567890' }], intent);
  assert.equal(verdict, 'allow', 'another key is no other gateway');
});

test('an API may have any address but a denied one', () => {
  const anywhere = addresses('10.0.0.1', '127.0.0.1', '169.254.169.254', '11.0.0.1', 'fd00::1');
  const intent = intentOf(API);
  assert.deepEqual(decideGatewayAddresses(denying(), API, intent, anywhere).addresses, anywhere);
  const policy = denying({ host: '10.0.0.0/8' }, { host: 'fd00::/8' });
  const some = decideGatewayAddresses(policy, API, intent, anywhere);
  assert.deepEqual([some.verdict, some.addresses.length], ['allow', 3]);
  const none = decideGatewayAddresses(policy, API, intent, addresses('10.0.0.1', '::ffff:10.0.0.2'));
  assert.deepEqual(
    [none.verdict, none.reason, none.rule, none.addresses],
    [...['deny', 'egress.denied-host', '/denied_hosts/0'], []],
  );
  const nowhere = decideGatewayAddresses(policy, API, intent, []);
  assert.deepEqual([nowhere.verdict, nowhere.reason], ['deny', 'egress.name-unknown']);
});

test('an upstream proxy is on the way to other machines only, and never sees a key', () => {
  const upstream: UpstreamProxy = { scheme: 'http', host: 'proxy.example.com', port: 3128, credentials: null };
  const isBetween = (base: Partial<GatewayBase>): boolean => gatewayUpstream(based(base), upstream) === upstream;
  assert.deepEqual(
    [
      isBetween({}),
      isBetween({ host: '10.0.0.1' }),
      isBetween({ host: '127.0.0.1' }),
      isBetween({ host: '::1' }),
      isBetween({ scheme: 'http', host: '10.0.0.1' }),
    ],
    [true, true, false, false, false],
  );
  assert.equal(gatewayUpstream(API, null), null);
});
