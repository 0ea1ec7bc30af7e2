import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import {
  agentctl,
  awaitEnd,
  Bench,
  detachAgent,
  runAgent,
  succeed,
  type TestCard,
  viewAgent,
} from '../helpers/agents.ts';
import { askApi } from '../helpers/api.ts';
import { askProxy, askUntil } from '../helpers/asker.ts';
import { agentProgram, runCommand } from '../helpers/commands.ts';
import { awaitDaemon, killDaemon, startDaemon, stopDaemon } from '../helpers/daemon.ts';
import { declareCard, withdrawCard } from '../helpers/declared-cards.ts';
import { awaitProperty, showProperty, unitOf } from '../helpers/units.ts';

const PROXY = 'agent-egressd.service';
const PROXY_SOCKET = 'agent-egressd.socket';

/** Daemon and proxy are others at the end than at the beginning, and the proxy's private directories with it. */
const RESTARTED = /agent-(spawnd|egressd)\.(service|socket|cjs)/;

let bench: Bench;
/** Two servers of this host, on its loopback: reachable only where a card writes the address out. */
const servers: Server[] = [];
let open = '';
let shut = '';

before(async () => {
  bench = await Bench.open({ ignoreLeaks: RESTARTED });
  [open = '', shut = ''] = await Promise.all([listen(), listen()]);
});
after(async () => {
  for (const server of servers) server.close();
  await bench.close();
});

/** A server on loopback that says hello; its `address:port`. */
async function listen(): Promise<string> {
  const server = createServer((_request, response) => void response.end('hello'));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A card of an agent that asks the proxy on demand. */
function asker(keys: Readonly<Record<string, unknown>> = {}): TestCard {
  return bench.card({ allowed_hosts: [open], command: agentProgram('asker.py'), ...keys });
}

async function statusOf(card: TestCard, target: string): Promise<number> {
  return (await askProxy(card.workspace, target)).status;
}

async function changeEgress(card: TestCard, action: string, host: string): Promise<string> {
  const { status, body } = await askApi('POST', `/agents/${card.agent_id}/egress`, { action, host });
  assert.equal(status, 201, body);
  return (JSON.parse(body) as { readonly pointer: string }).pointer;
}

async function killProxy(): Promise<void> {
  await succeed(runCommand(['systemctl', 'kill', '--signal=KILL', '--kill-who=main', PROXY]));
}

test('an agent reaches what its card writes out, and is told why it does not reach anything else', async () => {
  const card = asker();
  await detachAgent(card);
  assert.match((await askProxy(card.workspace, open)).text, /^HTTP\/1\.1 200 [\s\S]*hello/);
  const refused = await askProxy(card.workspace, 'nowhere.example');
  assert.equal(refused.status, 403);
  assert.match(refused.text, /^x-agent-spawn-reason: egress\.no-rule\r$/m);
  assert.match(refused.text, /agent-spawn refused nowhere\.example:80 \(egress\.no-rule\): .*allowed_hosts/);
  assert.equal(await statusOf(card, shut), 403);
  await agentctl('stop', card.agent_id);
  const { egress } = await viewAgent(card.agent_id);
  assert.deepEqual([egress?.allowed, egress?.refused], [1, 2]);
  assert.equal(existsSync(`/run/agent-egress/${card.agent_id}`), false);
});

test('the agent has a loopback device and nothing else, on which only the relay listens', async () => {
  const script = 'tail -n +3 /proc/net/dev; cat /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6';
  const { stdout } = await succeed(runAgent(bench.card({ command: ['bash', '-c', script] })));
  const lines = stdout.split('\n').map((line) => line.trim());
  assert.deepEqual(
    lines
      .filter((line) => /^[a-z0-9]+:\s+[0-9]/.test(line) && !/^[0-9]+: [0-9A-F]{8,}/.test(line))
      .map((line) => line.split(':')[0]),
    ['lo'],
  );
  const sockets = lines.filter((line) => /^[0-9]+: [0-9A-F]{8,}:/.test(line)).map((line) => line.split(/\s+/)[1]);
  assert.deepEqual(sockets, ['0100007F:0C38']);
});

test('programs are told of the proxy in every way they ask, and of none where there is none', async () => {
  const variables = async (keys: object): Promise<readonly string[]> => {
    const { stdout } = await succeed(runAgent(bench.card({ command: ['env'], ...keys })));
    return stdout
      .split('\n')
      .filter((line) => /proxy/i.test(line))
      .sort();
  };
  assert.deepEqual(await variables({}), [
    'HTTPS_PROXY=http://127.0.0.1:3128',
    'HTTP_PROXY=http://127.0.0.1:3128',
    'NODE_USE_ENV_PROXY=1',
    'NO_PROXY=localhost,127.0.0.1,::1',
    'http_proxy=http://127.0.0.1:3128',
    'https_proxy=http://127.0.0.1:3128',
    'no_proxy=localhost,127.0.0.1,::1',
  ]);
  assert.deepEqual(await variables({ network: { mode: 'none' } }), []);
});

test('an agent without a network has no relay either', async () => {
  const card = asker({ network: { mode: 'none' } });
  await detachAgent(card);
  assert.match((await askProxy(card.workspace, open)).text, /^error: .*refused/);
  assert.equal(await showProperty(`agent-egress@${card.agent_id}.socket`, 'ActiveState'), 'inactive');
  await agentctl('stop', card.agent_id);
});

test('a declared agent that systemctl starts while the daemon is away has its way out', async () => {
  const card = asker();
  await declareCard(card);
  await stopDaemon();
  await succeed(runCommand(['systemctl', 'start', unitOf(card.agent_id)]));
  await awaitProperty(unitOf(card.agent_id), 'ActiveState', 'active');
  assert.equal(await statusOf(card, open), 200);
  assert.equal(await statusOf(card, shut), 403);
  await startDaemon();
  assert.equal(await statusOf(card, open), 200);
  await withdrawCard(card.agent_id);
});

test('two agents have each its own rules', async () => {
  const [one, other] = [asker(), asker({ allowed_hosts: [shut] })];
  await Promise.all([detachAgent(one), detachAgent(other)]);
  const statuses = [statusOf(one, open), statusOf(other, shut), statusOf(one, shut), statusOf(other, open)];
  assert.deepEqual(await Promise.all(statuses.slice(0, 2)), [200, 200]);
  assert.deepEqual(await Promise.all(statuses.slice(2)), [403, 403]);
  await Promise.all([one, other].map((card) => agentctl('stop', card.agent_id)));
});

test('a daemon that is killed takes nothing away and gives nothing', async () => {
  const card = asker();
  await detachAgent(card);
  await killDaemon();
  assert.deepEqual([await statusOf(card, open), await statusOf(card, shut)], [200, 403]);
  await awaitDaemon();
  assert.deepEqual([await statusOf(card, open), await statusOf(card, shut)], [200, 403]);
  await agentctl('stop', card.agent_id);
  assert.equal((await viewAgent(card.agent_id)).egress?.allowed, 2);
});

test('a proxy that is killed comes back with all rules, and passes nothing before', async () => {
  const card = asker();
  await detachAgent(card);
  assert.equal(await statusOf(card, open), 200);
  await killProxy();
  const before = await askUntil(card.workspace, shut, 403);
  assert.deepEqual(
    before.filter((status) => status !== 0),
    [],
  );
  await askUntil(card.workspace, open, 200);
  assert.equal(await statusOf(card, shut), 403);
  await agentctl('stop', card.agent_id);
});

test('while there is no proxy nothing passes and no agent starts; when it is there again both go on', async () => {
  const card = asker();
  await detachAgent(card);
  await succeed(runCommand(['systemctl', 'stop', PROXY_SOCKET, PROXY]));
  assert.equal(await statusOf(card, open), 0);
  const late = asker();
  const refused = await runAgent(late);
  assert.equal(refused.status, 125);
  assert.match(refused.stderr, /egress proxy is not there.*agent-egressd\.socket/s);
  await succeed(runCommand(['systemctl', 'start', PROXY_SOCKET]));
  await askUntil(card.workspace, open, 200);
  await detachAgent(late);
  assert.equal(await statusOf(late, open), 200);
  await Promise.all([card, late].map(({ agent_id }) => agentctl('stop', agent_id)));
});

test('what an operator allows and denies is in force at once, outlives daemon and proxy, and goes with the agent', async () => {
  const card = asker();
  await detachAgent(card);
  assert.deepEqual([await statusOf(card, open), await statusOf(card, shut)], [200, 403]);
  assert.equal(await changeEgress(card, 'allow', shut), '/live/allow/0');
  assert.equal(await changeEgress(card, 'deny', open), '/live/deny/1');
  assert.deepEqual([await statusOf(card, open), await statusOf(card, shut)], [403, 200]);
  await killDaemon();
  await killProxy();
  await awaitDaemon();
  await askUntil(card.workspace, shut, 200);
  assert.equal(await statusOf(card, open), 403);
  await agentctl('stop', card.agent_id);
  await agentctl('start', card.agent_id);
  assert.deepEqual([await statusOf(card, open), await statusOf(card, shut)], [200, 403]);
  await agentctl('stop', card.agent_id);
});

test('a changed card leaves a run alone and is in force for the next one', async () => {
  const card = asker();
  await declareCard(card);
  await agentctl('start', card.agent_id);
  assert.deepEqual([await statusOf(card, open), await statusOf(card, shut)], [200, 403]);
  await declareCard({ ...card, allowed_hosts: [shut], description: 'changed' });
  assert.deepEqual([await statusOf(card, open), await statusOf(card, shut)], [200, 403]);
  await succeed(runCommand(['systemctl', 'stop', unitOf(card.agent_id)]));
  await awaitEnd(card.agent_id);
  await succeed(runCommand(['systemctl', 'start', unitOf(card.agent_id)]));
  await askUntil(card.workspace, shut, 200);
  assert.equal(await statusOf(card, open), 403);
  await withdrawCard(card.agent_id);
});

test('the relay closes with its agent', async () => {
  const card = asker();
  await detachAgent(card);
  assert.equal(await statusOf(card, open), 200);
  const socket = `agent-egress@${card.agent_id}.socket`;
  assert.equal(await showProperty(socket, 'ActiveState'), 'active');
  await agentctl('stop', card.agent_id);
  await awaitProperty(socket, 'ActiveState', 'inactive');
  await awaitProperty(`agent-egress@${card.agent_id}.service`, 'ActiveState', 'inactive');
});

test('a mode without walls is refused where the configuration does not allow it', async () => {
  const { status, stderr } = await runAgent(bench.card({ command: ['true'], network: { mode: 'host' } }));
  assert.equal(status, 125);
  assert.match(stderr, /"host" gives the agent everything this host reaches.*allow_host_network/s);
});
