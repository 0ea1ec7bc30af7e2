import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { EGRESS_ANSWER_BYTES_MAX } from '../../../src/base/limits.ts';
import { EgressControl } from '../../../src/host/egress.ts';
import type { AgentTable } from '../../../src/policy/table.ts';
import { makeScratch } from '../../helpers/scratch.ts';

const UNAVAILABLE = { name: 'SpawnError', code: 'host.egress-unavailable' };

const TABLE: AgentTable = {
  id: 'a',
  policy: { allow: [], deny: [] },
  upstream: null,
  caps: { maxBytes: null, requestsPerMinute: null },
  gateways: [],
  budget: { requests: null, tokens: null },
};

/** A control socket where `answer` plays the proxy. */
async function openProxy(
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
): Promise<{ control: EgressControl } & AsyncDisposable> {
  const scratch = await makeScratch();
  const path = join(scratch.path, 'control.sock');
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    answer(request, response, body);
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    control: new EgressControl(path),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await scratch[Symbol.asyncDispose]();
    },
  };
}

test('each call is one request with its table as JSON', async () => {
  const calls: string[] = [];
  await using proxy = await openProxy((request, response, body) => {
    calls.push(`${request.method} ${request.url} ${body}`);
    response.writeHead(204).end();
  });
  await proxy.control.put(TABLE);
  await proxy.control.restore([TABLE]);
  assert.equal(await proxy.control.remove('a'), null);
  assert.equal(await proxy.control.summary('a'), null);
  const table = JSON.stringify(TABLE);
  assert.deepEqual(calls, [
    `PUT /agents/a ${table}`,
    `PUT /tables {"agents":[${table}]}`,
    'DELETE /agents/a ',
    'GET /agents/a ',
  ]);
});

test('an agent that the proxy does not know has no summary; a table that it does not take is an error', async () => {
  await using proxy = await openProxy((_request, response) => void response.writeHead(404).end('no such thing'));
  assert.equal(await proxy.control.summary('a'), null);
  assert.equal(await proxy.control.remove('a'), null);
  await assert.rejects(proxy.control.put(TABLE), UNAVAILABLE);
  await assert.rejects(
    proxy.control.watch(() => undefined),
    UNAVAILABLE,
  );
});

test('a proxy that is not there, refuses, answers nonsense, too much or half is unavailable, with a remedy', async () => {
  await using scratch = await makeScratch();
  const nowhere = new EgressControl(join(scratch.path, 'absent.sock'));
  await assert.rejects(nowhere.put(TABLE), {
    ...UNAVAILABLE,
    message: /^The egress proxy cannot be asked: connect ENOENT/,
    remedy: 'systemctl status agent-egressd.socket agent-egressd.service',
  });
  await assert.rejects(
    nowhere.watch(() => undefined),
    UNAVAILABLE,
  );
  const answers: readonly ((response: ServerResponse) => void)[] = [
    (response) => response.writeHead(500).end('broken'),
    (response) => response.writeHead(200).end('{'),
    (response) => response.writeHead(200).end('x'.repeat(EGRESS_ANSWER_BYTES_MAX + 1)),
    (response) => {
      response.writeHead(200, { 'content-length': 10 }).write('{');
      response.destroy();
    },
  ];
  for (const answer of answers) {
    await using proxy = await openProxy((_request, response) => answer(response));
    await assert.rejects(proxy.control.summary('a'), UNAVAILABLE);
  }
});

test('the end of the watched stream is told once, and not to those who stopped watching', async () => {
  const streams: ServerResponse[] = [];
  await using proxy = await openProxy((_request, response) => {
    streams.push(response.writeHead(200));
    response.flushHeaders();
  });
  const stopped = await proxy.control.watch(() => assert.fail('nobody watches'));
  stopped[Symbol.dispose]();
  let ends = 0;
  await new Promise<void>((resolve, reject) => {
    const ended = (): void => {
      ends += 1;
      resolve();
    };
    proxy.control.watch(ended).then(() => streams.at(-1)?.destroy(), reject);
  });
  assert.equal(ends, 1);
});
