import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach, test } from 'node:test';
import type { AgentTable } from '../../src/policy/table.ts';
import { inTime } from '../helpers/commands.ts';
import { bothForms, EgressStage, getUrl } from '../helpers/egress-stage.ts';

// Many agents at one proxy, each with a rule of its own: nobody gets what is another's.

const CONTROL = '/run/agent-egress-control.sock';
const TABLES = 500;
const AGENTS = 20;

let stage: EgressStage;
before(async () => {
  stage = await EgressStage.open();
});
beforeEach(() => stage.internet.clear());
after(() => stage?.close());

/** Asks over a Unix socket; the agent keeps its connection. */
function ask(
  socketPath: string,
  agent: Agent,
  [method, path, body = '']: readonly string[],
): Promise<readonly [number, string]> {
  const host = /^http:\/\/([^/]+)/.exec(path ?? '')?.[1] ?? 'localhost';
  const headers = { host, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const answered = new Promise<readonly [number, string]>((resolve, reject) => {
    const call = request({ socketPath, agent, method, path, headers, setHost: false }, (answer) => {
      text(answer).then((told) => resolve([answer.statusCode ?? 0, told]), reject);
    });
    call.on('error', reject);
    call.end(body);
  });
  return inTime(answered, `${method} ${path}`);
}

function hostOf(index: number): string {
  return `h${index}.example.org`;
}

function addressOf(index: number): string {
  return `11.1.${index >> 8}.${index & 255}`;
}

function tableOf(index: number): AgentTable {
  const rest = { ports: [80], methods: null, paths: null, protocol: 'tls', reason: null } as const;
  const rule = { ...rest, host: hostOf(index), pointer: '/allowed_hosts/0' };
  const caps = { maxBytes: null, requestsPerMinute: null };
  const rules = { policy: { allow: [rule], deny: [] }, upstream: null, caps };
  return { id: `many-${process.pid}-${index}`, ...rules, gateways: [], budget: { requests: null, tokens: null } };
}

/** Addresses that web servers were asked at, with the hosts they were asked for. */
async function reached(): Promise<readonly string[]> {
  return (await stage.internet.arrivals('http')).map(({ address, host }) => `${address} ${host}`);
}

test('five hundred sets of rules at once, each on a connection that is kept: no answer for another', async () => {
  const tables = Array.from({ length: TABLES }, (_, index) => tableOf(index));
  const control = new Agent({ keepAlive: false });
  for (const [index] of tables.entries()) await stage.internet.answer(hostOf(index), [addressOf(index)]);
  for (const table of tables) {
    const [status, told] = await ask(CONTROL, control, ['PUT', `/agents/${table.id}`, JSON.stringify(table)]);
    assert.ok(status < 300, told);
  }
  const visit = async (index: number): Promise<readonly number[]> => {
    const socket = `/run/agent-egress/${tables[index]?.id}/proxy.sock`;
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const hosts = [index, (index + 1) % TABLES, index, (index + 250) % TABLES, index].map(hostOf);
    const statuses: number[] = [];
    for (const host of hosts) statuses.push((await ask(socket, agent, ['GET', `http://${host}/`]))[0]);
    agent.destroy();
    return statuses;
  };
  const results: (readonly number[])[] = [];
  let next = 0;
  const walk = async (): Promise<void> => {
    for (let index = next++; index < TABLES; index = next++) results[index] = await visit(index);
  };
  await Promise.all(Array.from({ length: 50 }, walk));
  for (const { id } of tables) await ask(CONTROL, control, ['DELETE', `/agents/${id}`]);
  assert.deepEqual(
    results,
    Array.from({ length: TABLES }, () => [200, 403, 200, 403, 200]),
  );
  const expected = Array.from({ length: TABLES }, (_, index) =>
    Array<string>(3).fill(`${addressOf(index)} ${hostOf(index)}`),
  );
  assert.deepEqual([...(await reached())].sort(), expected.flat().sort());
});

test('twenty agents at once: each reaches its own host and none of the others', async () => {
  const indexes = Array.from({ length: AGENTS }, (_, index) => index);
  for (const index of indexes) await stage.internet.answer(hostOf(index), [addressOf(index)]);
  const puppets = await Promise.all(indexes.map((index) => stage.agent({ allowed_hosts: [hostOf(index)] })));
  await stage.internet.clear();
  const hosts = puppets.map((_, index) => hostOf(index));
  const verdicts = await Promise.all(
    puppets.map((puppet) =>
      stage.verdicts(puppet, [...hosts.map((host) => getUrl(host)), ...bothForms('evil.example.net')]),
    ),
  );
  for (const [index, said] of verdicts.entries()) {
    const expected = [...hosts.map((host) => (host === hostOf(index) ? '200' : '403 egress.no-rule'))];
    assert.deepEqual(said, [...expected, '403 egress.no-rule', '403 egress.no-rule']);
  }
  assert.deepEqual([...(await reached())].sort(), hosts.map((host, index) => `${addressOf(index)} ${host}`).sort());
});
