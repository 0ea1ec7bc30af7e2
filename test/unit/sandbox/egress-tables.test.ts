import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EGRESS_RETRY_MAX_MS, EGRESS_RETRY_MIN_MS } from '../../../src/base/limits.ts';
import type { AgentTable } from '../../../src/policy/table.ts';
import { EgressTables } from '../../../src/sandbox/egress-tables.ts';
import { FakeHost } from '../../helpers/fake-host.ts';
import { GATEWAY } from '../../helpers/gateway-stage.ts';

function tableOf(id: string, maxBytes: number | null = null): AgentTable {
  return {
    id,
    policy: { allow: [], deny: [] },
    upstream: null,
    caps: { maxBytes, requestsPerMinute: null },
    gateways: [],
    budget: { requests: null, tokens: null },
  };
}

/** Tables on a fake proxy, and what was reported. */
function openTables(): { host: FakeHost; tables: EgressTables; failures: string[] } {
  const host = new FakeHost();
  const failures: string[] = [];
  return { host, failures, tables: new EgressTables({ host, report: (failure) => void failures.push(failure) }) };
}

/** Lets everything run that waits for nothing but its turn. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('everything that is known is handed over when the proxy is first connected to, and nothing else stays', async () => {
  const { host, tables } = openTables();
  await host.egress.put(tableOf('stranger'));
  tables.adopt(tableOf('a'));
  await tables.declare(tableOf('b'));
  assert.deepEqual([...host.egress.tables.keys()], ['stranger']);
  await tables.open();
  assert.deepEqual([...host.egress.tables.keys()], ['a', 'b']);
});

test('a proxy that comes back is told everything again without being asked to', async () => {
  const { host, tables } = openTables();
  await tables.open();
  await tables.register(tableOf('a'));
  await tables.register(tableOf('b'));
  await tables.remove('b');
  host.egress.die();
  host.egress.comeBack();
  assert.deepEqual([...host.egress.tables.keys()], []);
  host.clock.advance(EGRESS_RETRY_MIN_MS);
  await settle();
  assert.deepEqual([...host.egress.tables.keys()], ['a']);
  assert.equal(host.egress.isWatched, true);
});

test('a proxy that stays away is asked ever more rarely, said to be away once, and told everything in the end', async () => {
  const { host, tables, failures } = openTables();
  await tables.open();
  await tables.register(tableOf('a'));
  host.egress.die();
  const started = host.clock.now();
  for (let pause = EGRESS_RETRY_MIN_MS; pause < 4 * EGRESS_RETRY_MAX_MS; pause *= 2) {
    host.clock.advance(Math.min(pause, EGRESS_RETRY_MAX_MS));
    await settle();
  }
  assert.ok(host.clock.now() - started > EGRESS_RETRY_MAX_MS);
  assert.deepEqual(failures, ['The egress proxy cannot be asked: it is away.']);
  host.egress.comeBack();
  host.clock.advance(EGRESS_RETRY_MAX_MS);
  await settle();
  assert.deepEqual([...host.egress.tables.keys()], ['a']);
});

test('a table that cannot be handed over is forgotten; a replacement leaves the one before', async () => {
  const { host, tables } = openTables();
  await tables.open();
  for (const moment of ['before', 'after'] as const) {
    host.failAt(1, moment);
    await assert.rejects(tables.register(tableOf('a')), { code: 'host.call-failed' });
    assert.equal(tables.find('a'), null);
    assert.deepEqual([...host.egress.tables.keys()], []);
  }
  await tables.register(tableOf('a', 1));
  for (const moment of ['before', 'after'] as const) {
    host.failAt(1, moment);
    await assert.rejects(tables.register(tableOf('a', 2)), { code: 'host.call-failed' });
    assert.deepEqual(tables.find('a'), tableOf('a', 1));
    assert.deepEqual(host.egress.tables.get('a'), tableOf('a', 1));
  }
});

test('an agent that ends while the proxy is away is not restored', async () => {
  const { host, tables } = openTables();
  await tables.open();
  await tables.register(tableOf('a'));
  host.egress.die();
  assert.equal(await tables.remove('a'), null);
  host.egress.comeBack();
  host.clock.advance(EGRESS_RETRY_MAX_MS);
  await settle();
  assert.deepEqual([...host.egress.tables.keys()], []);
});

test('the end of an agent does not wait for a proxy that is away', async () => {
  const { host, tables } = openTables();
  await tables.open();
  await tables.register(tableOf('a'));
  host.egress.die();
  host.egress.comeBack();
  host.egress.removalGate = new Promise(() => undefined);
  assert.equal(await tables.remove('a'), null);
});

test('a removal whose answer was lost is made good by telling the proxy everything', async () => {
  const { host, tables, failures } = openTables();
  await tables.open();
  await tables.register(tableOf('a'));
  host.failAt(1);
  assert.equal(await tables.remove('a'), null);
  assert.deepEqual([...host.egress.tables.keys()], ['a']);
  host.clock.advance(EGRESS_RETRY_MAX_MS);
  await settle();
  assert.deepEqual([...host.egress.tables.keys()], []);
  assert.equal(failures.length, 1);
});

test('what came of the requests is told at the removal', async () => {
  const { host, tables } = openTables();
  await tables.open();
  await tables.register(tableOf('a'));
  host.egress.summaries.set('a', { allowed: 7, refused: 2 });
  const summary = await tables.remove('a');
  assert.equal(summary?.allowed, 7);
  assert.equal(summary?.refused, 2);
  assert.equal(await tables.remove('a'), null);
});

test('a table that is being handed over while everything is restored is there afterwards, one that is taken back is not', async () => {
  const { host, tables } = openTables();
  tables.adopt(tableOf('old'));
  const opened = tables.open();
  const registered = tables.register(tableOf('a'));
  const removed = tables.remove('old');
  await Promise.all([opened, registered, removed]);
  assert.deepEqual([...host.egress.tables.keys()], ['a']);
});

test('after the end nobody asks the proxy any more', async () => {
  const { host, tables } = openTables();
  await tables.open();
  tables[Symbol.dispose]();
  assert.equal(host.egress.isWatched, false);
  const before = host.calls;
  host.egress.die();
  host.clock.advance(10 * EGRESS_RETRY_MAX_MS);
  await settle();
  assert.equal(host.calls, before);
});

test('a table with gateways says since when the agent lives: through changes and restarts of the proxy, not into its next life', async () => {
  const { host, tables } = openTables();
  await tables.open();
  const withGateway = (maxBytes: number | null): AgentTable => ({ ...tableOf('a', maxBytes), gateways: [GATEWAY] });
  const born = host.clock.now();
  await tables.register(withGateway(null));
  host.clock.advance(60_000);
  await tables.change('a', () => withGateway(5));
  await tables.declare(withGateway(6));
  assert.deepEqual(host.egress.tables.get('a'), { ...withGateway(6), since: born });
  host.egress.die();
  host.egress.comeBack();
  host.clock.advance(EGRESS_RETRY_MAX_MS);
  await settle();
  assert.equal(host.egress.tables.get('a')?.since, born);
  await tables.remove('a');
  const reborn = host.clock.now();
  await tables.register(withGateway(null));
  assert.equal(host.egress.tables.get('a')?.since, reborn);
  tables.adopt({ ...withGateway(null), id: 'adopted', since: 7 });
  assert.equal(tables.find('adopted')?.since, 7);
});
