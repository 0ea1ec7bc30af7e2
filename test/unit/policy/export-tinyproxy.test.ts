import assert from 'node:assert/strict';
import test from 'node:test';
import { decide } from '../../../src/policy/decide.ts';
import { renderTinyproxy } from '../../../src/policy/export-tinyproxy.ts';
import { destinationText } from '../../../src/policy/intent.ts';
import { compilePolicy } from '../../../src/policy/rules.ts';
import { seededRandom } from '../card/random.ts';
import { makeIntent, makePolicy } from './made-policy.ts';
import { policyOf, rule } from './sample-policy.ts';

/** Longest line that tinyproxy reads of its filter, bytes (FILTER_BUFFER_LEN). */
const LINE_MAX = 511;

/** The hosts that a filter lets through. */
function readFilter(filter: string): (host: string) => boolean {
  const lines = filter.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  for (const line of lines) assert.ok(line.length <= LINE_MAX, line);
  const expressions = lines.map((line) => new RegExp(line, 'i'));
  return (host) => expressions.some((expression) => expression.test(host));
}

test('tinyproxy refuses by default and is told the ports of tunnels', () => {
  const { configuration } = renderTinyproxy(policyOf(['example.com', rule('example.org', { ports: [8443] })]));
  assert.deepEqual(
    configuration.split('\n').filter((line) => !line.startsWith('#')),
    [
      'Filter "/etc/tinyproxy/agent-spawn.filter"',
      'FilterDefaultDeny Yes',
      'FilterExtended On',
      'FilterURLs Off',
      'FilterCaseSensitive Off',
      'ConnectPort 80',
      'ConnectPort 443',
      'ConnectPort 8443',
      '',
    ],
  );
});

test('without a rule that allows tunnels tinyproxy takes none', () => {
  for (const policy of [policyOf([]), policyOf([rule('example.com', { methods: ['GET'] })])])
    assert.match(renderTinyproxy(policy).configuration, /^ConnectPort 0$/m);
});

test('the filter holds whole hosts and nothing that looks like them', () => {
  const lets = readFilter(
    renderTinyproxy(policyOf(['example.com', '*.example.org', '10.1.0.0/17', '11.0.0.5'])).filter,
  );
  for (const host of [
    'example.com',
    'EXAMPLE.com',
    'a.example.org',
    'a.b.example.org',
    '10.1.0.0',
    '10.1.127.255',
    '11.0.0.5',
  ])
    assert.equal(lets(host), true, host);
  const others = [
    'examplexcom',
    'aexample.com',
    'a.example.com',
    'example.com.evil.com',
    'example.org',
    'aexample.org',
  ];
  for (const host of [
    ...others,
    '10.1.128.0',
    '10.2.0.1',
    '110.1.0.0',
    '10.1.0.0.evil.com',
    '11.0.0.50',
    '11x0.0.5',
    '',
  ])
    assert.equal(lets(host), false, host);
});

test('a range is matched address by address', () => {
  const random = seededRandom(9);
  for (let prefix = 1; prefix <= 31; prefix += 1) {
    const start = (random.below(2 ** 31) * 2 + random.below(2)) % 2 ** 32;
    const size = 2 ** (32 - prefix);
    const first = Math.floor(start / size) * size;
    const lets = readFilter(renderTinyproxy(policyOf([`${dotted(first)}/${prefix}`])).filter);
    const inside = [first, first + size - 1, first + random.below(size)];
    const outside = [first - 1, first + size].filter((value) => value >= 0 && value < 2 ** 32);
    for (const value of inside)
      assert.equal(lets(dotted(value)), true, `${dotted(value)} in ${dotted(first)}/${prefix}`);
    for (const value of outside)
      assert.equal(lets(dotted(value)), false, `${dotted(value)} in ${dotted(first)}/${prefix}`);
  }
});

test('what tinyproxy cannot express stands in comments', () => {
  const limited = rule('example.com', { methods: ['GET'], paths: ['/api'] });
  const policy = policyOf([limited, '2001:db8::/32', 'gone.example.org', '*.example.org'], ['gone.example.org']);
  assert.deepEqual(renderTinyproxy(policy).filter.split('\n'), [
    '# Hosts of an agent for tinyproxy, made by agent-spawn.',
    '# Not expressed here: gone.example.org is denied.',
    '# example.com, not expressed: ports 80 443 for plain HTTP, methods GET, paths /api',
    '^example\\.com$',
    '# Left out, no expression fits: 2001:db8::/32',
    '# Denied altogether: gone.example.org',
    '# *.example.org, not expressed: ports 80 443 for plain HTTP',
    '^([a-z0-9-]+\\.)+example\\.org$',
    '',
  ]);
});

test('beside denied names a star lets names through and no addresses', () => {
  const lets = readFilter(renderTinyproxy(policyOf(['*'], ['evil.example.com'])).filter);
  for (const host of ['example.com', 'intranet', 'a-1.example', '1.example']) assert.equal(lets(host), true, host);
  for (const host of ['11.0.0.5', '2606:4700::1', '::', '1']) assert.equal(lets(host), false, host);
  assert.equal(readFilter(renderTinyproxy(policyOf(['*'])).filter)('11.0.0.5'), true);
});

test('tinyproxy refuses nothing that is allowed, except in IPv6 ranges', () => {
  const random = seededRandom(32);
  let passed = 0;
  for (let round = 0; round < 2000; round += 1) {
    const result = compilePolicy(makePolicy(random, { hasLimits: true }));
    assert.ok(result.ok);
    const intent = makeIntent(random);
    const host = destinationText(intent.destination);
    if (host.includes(':') || decide(result.value, intent).verdict === 'deny') continue;
    passed += 1;
    assert.equal(readFilter(renderTinyproxy(result.value).filter)(host), true, JSON.stringify(result.value.allow.all));
  }
  assert.ok(passed > 50, `${passed}`);
});

function dotted(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
