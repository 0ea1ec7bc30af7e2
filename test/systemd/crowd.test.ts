import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Bench, listAgents, runAgent, succeed } from '../helpers/agents.ts';
import { askApi } from '../helpers/api.ts';

const CROWD = 200;

let bench: Bench;
before(async () => {
  bench = await Bench.open();
});
after(() => bench.close());

test(`of ${CROWD} agents at once every one runs or is refused with a reason, and all of them can be stopped`, async () => {
  const cards = Array.from({ length: CROWD }, () =>
    bench.card({ command: ['sleep', 'infinity'], resource_limits: { memory_mb: 32, tmp_mb: 1, max_processes: 2 } }),
  );
  const answers = await Promise.all(
    cards.map((card) =>
      askApi('POST', '/agents', {
        card: { text: JSON.stringify(card), format: 'json', source: 'test' },
        arguments: [],
        attach: null,
      }),
    ),
  );
  for (const { status, body } of answers) {
    if (status === 201) continue;
    assert.match((JSON.parse(body) as { code?: string }).code ?? '', /^(sandbox|host)\.[a-z-]+$/, `${status}: ${body}`);
  }
  const started = cards.filter((_card, index) => answers[index]?.status === 201).map((card) => card.agent_id);
  assert.ok(started.length >= CROWD / 2, `${started.length} of them run`);
  const listed = await listAgents();
  assert.deepEqual(
    listed.filter(({ state }) => state === 'running').map(({ id }) => id),
    [...started].sort(),
  );
  assert.equal(new Set(listed.filter(({ id }) => started.includes(id)).map(({ uid }) => uid)).size, started.length);
  const extra = await succeed(runAgent(bench.card({ command: ['echo', 'still here'] })));
  assert.equal(extra.stdout, 'still here\n');
  const stops = await Promise.all(started.map((id) => askApi('POST', `/agents/${id}/stop`)));
  assert.deepEqual(
    stops.filter(({ status }) => status !== 200),
    [],
  );
  for (const { id, outcome } of await listAgents()) {
    if (started.includes(id)) assert.equal(outcome?.kind, 'stopped');
  }
});
