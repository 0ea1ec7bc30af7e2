import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import test, { after, before } from 'node:test';
import { succeed } from '../helpers/agents.ts';
import { runCommand } from '../helpers/commands.ts';
import { readStatus } from '../helpers/proc.ts';
import { table } from '../helpers/proxy-stage.ts';
import { awaitProperty, showProperty } from '../helpers/units.ts';

const CONTROL = '/run/agent-egress-control.sock';
const SERVICE = 'agent-egressd.service';
const DAEMON = ['agent-spawnd.socket', 'agent-spawnd.service'];
const ID = 'egressd-test';
const SOCKET = `/run/agent-egress/${ID}/proxy.sock`;

// The daemon would take away again what it does not know.
before(async () => {
  await systemctl('mask', '--runtime', ...DAEMON);
  await systemctl('stop', ...DAEMON);
});
after(async () => {
  await systemctl('unmask', '--runtime', ...DAEMON);
  await systemctl('start', ...DAEMON);
});

function systemctl(...words: readonly string[]): Promise<unknown> {
  return succeed(runCommand(['systemctl', '--quiet', ...words]));
}

/** Status and body of an answer. */
async function call(method: string, path: string, body?: unknown): Promise<readonly [number, unknown]> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request({ socketPath: CONTROL, method, path, agent: false }, resolve).on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  return [response.statusCode ?? 0, JSON.parse(Buffer.concat(pieces).toString())];
}

/** Status that curl prints for a URL, asked from a network namespace that has nothing but the relay; 000 for none. */
async function askThroughRelay(url: string): Promise<string> {
  const relay = `agent-egress@${ID}.socket`;
  const properties = ['PrivateNetwork=yes', `JoinsNamespaceOf=${relay}`, `Requires=${relay}`, `After=${relay}`];
  const curl = ['curl', '--silent', '--output', '/dev/null', '--write-out', '%{http_code}', '--max-time', '20'];
  const unit = ['systemd-run', '--quiet', '--wait', '--pipe', '--collect'];
  const words = [...unit, ...properties.flatMap((one) => ['--property', one]), '--', ...curl];
  const { stdout } = await runCommand([...words, '--proxy', 'http://127.0.0.1:3128', '--noproxy', '', url]);
  return stdout;
}

test('the proxy starts when it is asked, as nobody in particular and without a capability', async () => {
  await systemctl('stop', SERVICE);
  assert.equal(await showProperty(SERVICE, 'ActiveState'), 'inactive');
  assert.deepEqual(await call('GET', '/health'), [200, { agents: 0 }]);
  await awaitProperty(SERVICE, 'ActiveState', 'active');
  const pid = await showProperty(SERVICE, 'MainPID');
  const status = readStatus(readFileSync(`/proc/${pid}/status`, 'utf8'));
  const [uid] = (status.get('Uid') ?? '').split('\t');
  assert.ok(Number(uid) >= 61_184 && Number(uid) <= 65_519, `uid ${uid} is none of the dynamic ones`);
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
    assert.match(status.get(set) ?? '', /^0+$/, set);
  }
  assert.deepEqual([status.get('NoNewPrivs'), status.get('Seccomp')], ['1', '2']);
  assert.equal((await runCommand(['stat', '--format', '%a %U:%G', CONTROL])).stdout.trim(), '600 root:root');
  assert.equal(
    (await runCommand(['stat', '--format', '%a %G', '/run/agent-egress'])).stdout.trim(),
    '750 agent-egress',
  );
});

test('before an agent has a table its relay leads nowhere, with one it is answered, afterwards not', async () => {
  assert.deepEqual(readdirSync('/run/agent-egress'), []);
  assert.equal(await askThroughRelay('http://example.com/'), '000');
  assert.equal((await call('PUT', `/agents/${ID}`, table(ID, {})))[0], 200);
  assert.equal(await askThroughRelay('http://example.com/'), '403');
  const [status, summary] = await call('DELETE', `/agents/${ID}`);
  assert.deepEqual([status, (summary as { refused: number }).refused], [200, 1]);
  assert.equal(await askThroughRelay('http://example.com/'), '000');
  assert.match(readFileSync(`/var/log/agent-egress/${ID}/audit.jsonl`, 'utf8'), /"reason":"egress\.no-rule"/);
});

test('the relay ends with whoever needed it', async () => {
  await call('PUT', `/agents/${ID}`, table(ID, {}));
  assert.equal(await askThroughRelay('http://example.com/'), '403');
  await awaitProperty(`agent-egress@${ID}.socket`, 'ActiveState', 'inactive');
  await awaitProperty(`agent-egress@${ID}.service`, 'ActiveState', 'inactive');
  await call('DELETE', `/agents/${ID}`);
});

test('a proxy that is killed comes back without sockets of agents, and takes tables again', async () => {
  await call('PUT', `/agents/${ID}`, table(ID, {}));
  assert.equal(existsSync(SOCKET), true);
  const pid = await showProperty(SERVICE, 'MainPID');
  await systemctl('kill', '--kill-who=main', '--signal=KILL', SERVICE);
  // Waits in the control socket until the next one is there.
  assert.deepEqual(await call('GET', '/health'), [200, { agents: 0 }]);
  await awaitProperty(SERVICE, 'ActiveState', 'active');
  assert.notEqual(await showProperty(SERVICE, 'MainPID'), pid);
  assert.equal(existsSync(SOCKET), false);
  assert.equal(await askThroughRelay('http://example.com/'), '000');
  await call('PUT', `/agents/${ID}`, table(ID, {}));
  assert.equal(await askThroughRelay('http://example.com/'), '403');
  await call('DELETE', `/agents/${ID}`);
});
