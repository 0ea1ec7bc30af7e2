import assert from 'node:assert/strict';
import { type IncomingMessage, request } from 'node:http';
import test from 'node:test';
import type { UpstreamProxy } from '../../../src/policy/table.ts';
import { Control } from '../../../src/proxy/control.ts';
import { ProxyStage, table } from '../../helpers/proxy-stage.ts';

/** The control socket of a stage. */
interface Wired extends AsyncDisposable {
  readonly proxy: ProxyStage;
  readonly control: Control;
  call(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly json: unknown }>;
  watch(): Promise<IncomingMessage>;
}

async function wire(): Promise<Wired> {
  const proxy = await ProxyStage.open();
  const path = `${proxy.directory}/control.sock`;
  const onError = (error: unknown): void => void proxy.bugs.push(error);
  const control = await Control.listen({ path }, { agents: proxy.agents, onError });
  const send = (method: string, target: string, body: string | null): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const sent = request({ socketPath: path, method, path: target, agent: false }, resolve);
      sent.on('error', reject);
      sent.end(body ?? undefined);
    });
  return {
    proxy,
    control,
    call: async (method, target, body) => {
      const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body);
      const response = await send(method, target, text);
      const pieces: Buffer[] = [];
      for await (const piece of response) pieces.push(piece as Buffer);
      return { status: response.statusCode ?? 0, json: JSON.parse(Buffer.concat(pieces).toString()) };
    },
    watch: () => send('GET', '/watch', null),
    [Symbol.asyncDispose]: async () => {
      await control[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

test('tables are put, replaced, asked for and taken away', async () => {
  await using wired = await wire();
  assert.deepEqual(await wired.call('GET', '/health'), { status: 200, json: { agents: 0 } });
  assert.equal((await wired.call('GET', '/agents/a')).status, 404);
  assert.equal((await wired.call('PUT', '/agents/a', table('a', { allow: ['api.test'] }))).status, 200);
  assert.equal((await wired.call('PUT', '/agents/b', table('b', {}))).status, 200);
  const summary = (await wired.call('GET', '/agents/a')).json as Readonly<Record<string, unknown>>;
  assert.deepEqual([summary['id'], summary['allowed'], summary['refused'], summary['openConnections']], ['a', 0, 0, 0]);
  const put = await wired.call('PUT', '/tables', { agents: [table('b', { allow: ['api.test'] }), table('c', {})] });
  assert.deepEqual(put, { status: 200, json: { agents: 2 } });
  assert.equal((await wired.call('GET', '/agents/a')).status, 404);
  assert.equal((await wired.call('DELETE', '/agents/b')).status, 200);
  assert.equal((await wired.call('DELETE', '/agents/b')).status, 404);
  assert.equal(wired.proxy.audit('b').at(-1)?.['kind'], 'closed');
});

test('the audit begins with the proxy that everything is handed on to, and where it is named', async () => {
  await using wired = await wire();
  const squid = { scheme: 'http', host: 'squid.test', port: 3128, credentials: null } as const;
  const told = async (upstream: UpstreamProxy): Promise<unknown> => {
    assert.equal((await wired.call('PUT', `/agents/a`, { ...table('a', {}), upstream })).status, 200);
    const opened = wired.proxy.audit('a').at(-1);
    await wired.call('DELETE', '/agents/a');
    return [opened?.['kind'], opened?.['upstream'], opened?.['upstreamFrom']];
  };
  assert.deepEqual(await told(squid), ['opened', 'squid.test:3128', undefined]);
  assert.deepEqual(await told({ ...squid, from: 'config.json' }), ['opened', 'squid.test:3128', 'config.json']);
});

test('what is no table is refused with its place, and nothing changes', async () => {
  await using wired = await wire();
  await wired.call('PUT', '/agents/a', table('a', { allow: ['api.test'] }));
  const fine = table('a', { allow: ['api.test'] });
  const [rule] = fine.policy.allow;
  const cases: readonly (readonly [path: string, body: unknown, status: number, pointer: string | null])[] = [
    ['/agents/a', 'not json', 400, null],
    ['/agents/a', table('b', {}), 422, '/id'],
    ['/agents/a', { ...fine, caps: { maxBytes: -1, requestsPerMinute: null } }, 422, '/caps/maxBytes'],
    [
      '/agents/a',
      { ...fine, upstream: { scheme: 'socks', host: 'x', port: 1, credentials: null } },
      422,
      '/upstream/scheme',
    ],
    [
      '/agents/a',
      { ...fine, upstream: { scheme: 'http', host: 'x', port: 1, credentials: null, from: 'elsewhere' } },
      422,
      '/upstream/from',
    ],
    [
      '/agents/a',
      { ...fine, policy: { allow: [{ ...rule, protocol: 'udp' }], deny: [] } },
      422,
      '/policy/allow/0/protocol',
    ],
    ['/agents/a', { ...fine, policy: { allow: [{ ...rule, host: 'a*b' }], deny: [] } }, 422, '/allowed_hosts/0'],
    ['/agents/a', { ...fine, policy: { allow: [{ ...rule, ports: null }], deny: [] } }, 422, '/allowed_hosts/0'],
    ['/agents/a', { ...fine, policy: { deny: [] } }, 422, '/policy/allow'],
    ['/tables', { agents: [fine, fine] }, 422, '/agents/1/id'],
    ['/tables', [], 422, ''],
    ['/agents/A', fine, 404, null],
    ['/agents/a/b', fine, 404, null],
    ['/', fine, 404, null],
  ];
  for (const [path, body, status, pointer] of cases) {
    const answer = await wired.call('PUT', path, body);
    assert.equal(answer.status, status, `${path} ${JSON.stringify(body)}`);
    if (pointer === null) continue;
    const { problems } = answer.json as { problems: readonly { pointer: string }[] };
    assert.equal(problems[0]?.pointer, pointer);
  }
  assert.equal((await wired.call('POST', '/agents/a', fine)).status, 405);
  assert.deepEqual((await wired.call('GET', '/health')).json, { agents: 1 });
});

test('a watch is answered at once and ends with the proxy', async () => {
  await using wired = await wire();
  const response = await wired.watch();
  assert.equal(response.statusCode, 200);
  const ended = new Promise((resolve) => response.resume().once('end', resolve));
  await wired.control[Symbol.asyncDispose]();
  await ended;
});
