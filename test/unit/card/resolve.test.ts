import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Card } from '../../../src/card/card.gen.ts';
import { cardDigest } from '../../../src/card/digest.ts';
import { type AllowedHost, type ResolvedCard, resolveCard } from '../../../src/card/resolve.ts';
import { CHECKOUT } from '../../helpers/checkout.ts';
import { parse } from './verdict.ts';

const MIB = 1024 * 1024;
const MINIMAL: Card = { agent_id: 'dev', workspace: '/mnt/agents/dev' };

const MINIMAL_RESOLVED: ResolvedCard = {
  agentId: 'dev',
  workspace: '/mnt/agents/dev',
  description: null,
  labels: {},
  agent: 'opencode',
  command: null,
  environment: {},
  apiProvider: 'anthropic',
  credentials: [],
  apiKeyDelivery: 'gateway',
  budget: { requests: null, tokens: null },
  allowedHosts: null,
  deniedHosts: [],
  proxy: null,
  proxyCredentialsFile: null,
  network: { mode: 'isolated', publish: [], allow: [], maxBytes: null, requestsPerMinute: null },
  a2aPort: null,
  filesystem: { readOnly: [], home: 'private' },
  limits: {
    memoryMaxBytes: 4096 * MIB,
    memoryHighBytes: null,
    cpuWeight: 100,
    cpuPercent: null,
    ioWeight: null,
    tasksMax: 256,
    openFilesMax: 1024,
    tmpBytes: 512 * MIB,
  },
  ttlSeconds: 0,
  stopTimeoutSeconds: 10,
  restart: 'no',
  autostart: false,
};

function plainHost(host: string): AllowedHost {
  return { host, ports: null, methods: null, paths: null, protocol: 'tls', reason: null };
}

const FULL_RESOLVED: ResolvedCard = {
  agentId: 'reviewer',
  workspace: '/mnt/agents/reviewer',
  description: 'Nearly every key a card can have; reviews merge requests of the shop',
  labels: { team: 'shop', ticket: 'SHOP-17' },
  agent: 'claude-code',
  command: ['claude', '--print', 'Review the branch that is checked out.'],
  environment: { LANG: 'de_DE.UTF-8', CI: '1' },
  apiProvider: 'anthropic',
  credentials: [
    {
      provider: 'anthropic',
      keyFile: '/run/secrets/anthropic-key',
      baseUrl: null,
      header: null,
      username: null,
      variable: null,
      pointer: '/api_key_file',
    },
    {
      provider: 'custom',
      keyFile: 'credential:search-key',
      baseUrl: 'https://search.example.org/v2',
      header: 'Authorization: Token',
      username: null,
      variable: null,
      pointer: '/credentials/0',
    },
    {
      provider: 'git',
      keyFile: '/run/secrets/git-token',
      baseUrl: 'https://git.example.org/shop',
      header: null,
      username: 'oauth2',
      variable: null,
      pointer: '/credentials/1',
    },
  ],
  apiKeyDelivery: 'gateway',
  budget: { requests: 200, tokens: 2_000_000 },
  allowedHosts: [
    {
      host: 'packages.example.org',
      ports: [80],
      methods: ['GET', 'HEAD'],
      paths: ['/npm'],
      protocol: 'tls',
      reason: 'Packages of the build',
    },
    plainHost('api.anthropic.com'),
    plainHost('git.example.org'),
  ],
  deniedHosts: [{ host: '*.internal.example.org', ports: [443], reason: "Not the reviewer's business" }],
  proxy: 'http://10.100.1.1:3128',
  proxyCredentialsFile: '/run/secrets/proxy-credentials',
  network: {
    mode: 'veth',
    publish: [{ port: 8080, listen: '127.0.0.1:18080' }],
    allow: [{ address: '192.0.2.10', port: 5432, protocol: 'tcp' }],
    maxBytes: 1_073_741_824,
    requestsPerMinute: 600,
  },
  a2aPort: 9000,
  filesystem: { readOnly: ['/srv/datasets'], home: 'private' },
  limits: {
    memoryMaxBytes: 2048 * MIB,
    memoryHighBytes: 1536 * MIB,
    cpuWeight: 50,
    cpuPercent: 150,
    ioWeight: 50,
    tasksMax: 100,
    openFilesMax: 4096,
    tmpBytes: 256 * MIB,
  },
  ttlSeconds: 3600,
  stopTimeoutSeconds: 30,
  restart: 'no',
  autostart: false,
};

test('an entry of a host list means the same as a text and as an object of one key', () => {
  const texts = resolveCard({ ...MINIMAL, allowed_hosts: ['a.example:8443'], denied_hosts: ['b.example'] }, 'spawned');
  const objects = resolveCard(
    { ...MINIMAL, allowed_hosts: [{ host: 'a.example:8443' }], denied_hosts: [{ host: 'b.example' }] },
    'spawned',
  );
  assert.deepEqual(texts, objects);
  assert.deepEqual(texts.allowedHosts, [plainHost('a.example:8443')]);
  assert.deepEqual(texts.deniedHosts, [{ host: 'b.example', ports: null, reason: null }]);
});

test('what a card leaves out is what the schema says', () => {
  assert.deepEqual(resolveCard(MINIMAL, 'spawned'), MINIMAL_RESOLVED);
});

test('an agent of the list has more processes than a command of the card or a shell', () => {
  const tasksOf = (keys: Partial<Card>): number => resolveCard({ ...MINIMAL, ...keys }, 'spawned').limits.tasksMax;
  assert.deepEqual(
    [tasksOf({ agent: 'codex' }), tasksOf({ agent: 'shell' }), tasksOf({ command: ['true'] })],
    [256, 50, 50],
  );
  assert.equal(tasksOf({ agent: 'codex', resource_limits: { max_processes: 20 } }), 20);
});

test('a declared card is restarted when it fails, unless it says otherwise', () => {
  assert.deepEqual(resolveCard(MINIMAL, 'declared'), { ...MINIMAL_RESOLVED, restart: 'on-failure' });
  assert.equal(resolveCard({ ...MINIMAL, restart: 'no' }, 'declared').restart, 'no');
  assert.equal(resolveCard({ ...MINIMAL, restart: 'always' }, 'spawned').restart, 'always');
});

test('every key of a full card arrives where it belongs', () => {
  const card = parse(readFileSync(join(CHECKOUT, 'schema/examples/full.json'), 'utf8'));
  assert.ok(card.ok);
  assert.deepEqual(resolveCard(card.value, 'declared'), FULL_RESOLVED);
});

test('empty sections and an empty host list are not the same as their absence where that matters', () => {
  const card: Card = { ...MINIMAL, network: {}, filesystem: {}, resource_limits: {}, allowed_hosts: [] };
  assert.deepEqual(resolveCard(card, 'spawned'), { ...MINIMAL_RESOLVED, allowedHosts: [] });
});

test('a published port without an address listens on this machine only', () => {
  const card: Card = { ...MINIMAL, network: { publish: [{ port: 8080 }] } };
  assert.deepEqual(resolveCard(card, 'spawned').network.publish, [{ port: 8080, listen: '127.0.0.1:8080' }]);
});

test('a resolved card survives a round trip through JSON', () => {
  const resolved = resolveCard(MINIMAL, 'spawned');
  assert.deepEqual(JSON.parse(JSON.stringify(resolved)), resolved);
});

test('cards that mean the same have one digest, and any other card another', () => {
  const digest = (card: Card): string => cardDigest(resolveCard(card, 'spawned'));
  const own = digest(MINIMAL);
  assert.match(own, /^[0-9a-f]{64}$/);
  const same: readonly Card[] = [
    { workspace: '/mnt/agents/dev', agent_id: 'dev' },
    { ...MINIMAL, ttl_seconds: 0, resource_limits: { tmp_mb: 512 }, labels: {} },
    { ...MINIMAL, $schema: 'elsewhere' },
  ];
  assert.deepEqual(same.map(digest), [own, own, own]);
  const others: readonly Card[] = [
    { ...MINIMAL, ttl_seconds: 1 },
    { ...MINIMAL, allowed_hosts: [] },
    { ...MINIMAL, labels: { a: 'b' } },
    { ...MINIMAL, command: ['a', 'b'] },
    { ...MINIMAL, command: ['a b'] },
    { ...MINIMAL, environment: { A: '1', B: '2' } },
  ];
  assert.equal(new Set([own, ...others.map(digest)]).size, others.length + 1);
  assert.equal(
    digest({ ...MINIMAL, environment: { A: '1', B: '2' } }),
    digest({ ...MINIMAL, environment: { B: '2', A: '1' } }),
  );
});

test('a digest is the SHA-256 of the card as JSON with sorted keys', () => {
  // Computed with another program: json.dumps(card, sort_keys=True, separators=(',', ':')).
  const digest = 'cab54944872fbe5e9d5728ee5227bf1b0d510c1278757584dfe1ac21c87a80b2';
  assert.equal(cardDigest(resolveCard(MINIMAL, 'spawned')), digest);
});
