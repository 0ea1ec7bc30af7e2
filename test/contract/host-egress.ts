import assert from 'node:assert/strict';
import test from 'node:test';
import type { AgentTable } from '../../src/policy/table.ts';
import type { Ground } from './ground.ts';

/** The part of the contract about the egress proxy. */
export function testEgress(name: string, open: () => Promise<Ground>): void {
  const check = (sentence: string, body: (ground: Ground) => Promise<void>): void => {
    test(`${name}: ${sentence}`, async () => {
      await using ground = await open();
      await ground.host.egress.restore([]);
      await body(ground);
      await ground.host.egress.restore([]);
    });
  };

  check('an agent is known from its first table on until it is removed', async ({ host }) => {
    assert.equal(await host.egress.summary('contract-a'), null);
    await host.egress.put(tableOf('contract-a'));
    const summary = await host.egress.summary('contract-a');
    assert.deepEqual(
      { id: summary?.id, allowed: summary?.allowed, refused: summary?.refused, topRefusals: summary?.topRefusals },
      { id: 'contract-a', allowed: 0, refused: 0, topRefusals: [] },
    );
    assert.equal((await host.egress.remove('contract-a'))?.id, 'contract-a');
    assert.equal(await host.egress.summary('contract-a'), null);
  });

  check('a table can be replaced, and an agent that is not known can be removed', async ({ host }) => {
    await host.egress.put(tableOf('contract-a'));
    await host.egress.put({ ...tableOf('contract-a'), caps: { maxBytes: 1, requestsPerMinute: null } });
    assert.equal((await host.egress.summary('contract-a'))?.id, 'contract-a');
    assert.equal(await host.egress.remove('contract-b'), null);
  });

  check('what is restored is all there is', async ({ host }) => {
    await host.egress.put(tableOf('contract-a'));
    await host.egress.put(tableOf('contract-b'));
    await host.egress.restore([tableOf('contract-b'), tableOf('contract-c')]);
    const known = await Promise.all(['a', 'b', 'c'].map((end) => host.egress.summary(`contract-${end}`)));
    assert.deepEqual(
      known.map((summary) => summary?.id ?? null),
      [null, 'contract-b', 'contract-c'],
    );
  });

  check('a proxy that ends says so once to each who watches, and knows nothing afterwards', async (ground) => {
    const { egress } = ground.host;
    await egress.put(tableOf('contract-a'));
    let ends = 0;
    const unwatched = await egress.watch(() => assert.fail('nobody watches any more'));
    unwatched[Symbol.dispose]();
    const ended = new Promise<void>((resolve, reject) => {
      egress
        .watch(() => {
          ends += 1;
          resolve();
        })
        .then(() => ground.endEgress(), reject);
    });
    await ended;
    assert.equal(await egress.summary('contract-a'), null);
    assert.equal(ends, 1);
  });
}

function tableOf(id: string): AgentTable {
  return {
    id,
    policy: {
      allow: [
        {
          host: 'example.org',
          ports: [80, 443],
          methods: null,
          paths: null,
          protocol: 'tls',
          pointer: '/allowed_hosts/0',
          reason: null,
        },
      ],
      deny: [],
    },
    upstream: { scheme: 'http', host: '192.0.2.1', port: 3128, credentials: 'user:password' },
    caps: { maxBytes: null, requestsPerMinute: null },
    gateways: [],
    budget: { requests: null, tokens: null },
  };
}
