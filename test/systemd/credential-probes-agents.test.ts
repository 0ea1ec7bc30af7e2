import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { EgressSummary } from '../../src/policy/table.ts';
import { runCommand } from '../helpers/commands.ts';
import { CANARY, CredentialStage, call, fieldOf, KEYS, MOUNTS } from '../helpers/credential-stage.ts';
import { type Puppet, verdictOf } from '../helpers/puppet.ts';

// Whose a key and a budget are.

const MESSAGES = '/anthropic/v1/messages';

let stage: CredentialStage;
let puppet: Puppet;
before(async () => {
  stage = await CredentialStage.open();
  [puppet] = await stage.agent();
});
beforeEach(() => stage.egress.internet.clear());
after(() => stage?.close());

/** What the proxy says of an agent that runs. */
async function summaryOf(id: string): Promise<EgressSummary> {
  const url = `http://localhost/agents/${id}`;
  const ended = await runCommand(['curl', '-sS', '--unix-socket', '/run/agent-egress-control.sock', url]);
  return JSON.parse(ended.stdout) as EgressSummary;
}

test('a client that goes away in the middle has used its budget all the same', async () => {
  const [hasty] = await stage.agent({ budget: { requests: 2 } });
  for (const name of ['gone-1', 'gone-2']) {
    const request = call('POST', `${MOUNTS.echo}/stream/${name}`, [], '{}');
    const opened = hasty.talk([{ send: request }, { read: 'head' }, { close: 'reset' }]);
    await stage.egress.internet.push(name, 'data: 1\n\n');
    assert.equal(verdictOf((await opened)[0]), '200');
    await stage.egress.internet.streamClosed(name);
  }
  const refused = await hasty.ask(call('POST', MESSAGES, [], '{}'));
  assert.equal(verdictOf(refused), '429 egress.budget', refused);
  assert.match(refused, /\r\nx-should-retry: false\r\n/i);
  const used = (await summaryOf(hasty.id)).gateways.find(({ mount }) => mount === MOUNTS.echo);
  assert.equal(used?.requests, 2);
  // Whoever spent it, the budget of another agent is whole.
  assert.equal(verdictOf(await puppet.ask(call('POST', MESSAGES, [], '{}'))), '200');
});

test('calls that are made at once spend a budget once each', async () => {
  const [busy] = await stage.agent({ budget: { requests: 3 } });
  const url = `http://127.0.0.1:3128${MESSAGES}`;
  const curl = `curl -sS -o /dev/null -w '%{http_code}\\n' -d '{}' ${url}`;
  const { stdout } = await busy.run(['bash', '-c', `for each in {1..20}; do ${curl} & done; wait`]);
  const statuses = stdout.trim().split('\n').sort();
  assert.deepEqual(statuses, [...Array<string>(3).fill('200'), ...Array<string>(17).fill('429')]);
  assert.equal((await stage.arrivals()).length, 3);
});

test("an agent has its own gateways and nobody else's", async () => {
  const only = { provider: 'openai', base_url: 'https://other.example.com/v1', api_key_file: stage.keyFile('other') };
  const [other] = await stage.agent({ credentials: [only], budget: { requests: 1 } });
  const plain = await stage.egress.agent({ allowed_hosts: ['api.example.com'] });
  const calls = [MESSAGES, `${MOUNTS.echo}/x`, `${MOUNTS.other}/models`].map((path) => call('GET', path));
  assert.deepEqual(await stage.egress.verdicts(other, calls), [
    '404 egress.no-gateway',
    '404 egress.no-gateway',
    '200',
  ]);
  assert.deepEqual(
    await stage.egress.verdicts(plain, calls),
    calls.map(() => '404 egress.no-gateway'),
  );
  for (const path of [
    '/run/agent-egress',
    '/run/agent-egress-control.sock',
    `/run/agent-egress/${puppet.id}/proxy.sock`,
  ]) {
    const inside = await other.attempt(`os.stat(${JSON.stringify(path)})`);
    assert.equal(inside, 'ENOENT', path);
  }
  // The sockets of others, by the loopback of the host and by name.
  assert.equal(await other.attempt(`connect(("11.0.0.1", 3128))`), 'ENETUNREACH');
  for (const arrival of await stage.arrivals()) assert.equal(fieldOf(arrival, 'authorization'), `Bearer ${KEYS.other}`);
  assert.doesNotMatch(JSON.stringify(await summaryOf(other.id)), CANARY);
});
