import assert from 'node:assert/strict';
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, type TestContext, test } from 'node:test';
import {
  AgentClisStage,
  auditOf,
  DEADLINE_MS,
  exampleOf,
  filesOf,
  filesWith,
  REAL_KEYS,
  RESULT,
  runCli,
  SKIP,
} from '../helpers/agent-clis.ts';
import { agentctl, viewAgent } from '../helpers/agents.ts';
import type { Ended } from '../helpers/commands.ts';
import { runCommand } from '../helpers/commands.ts';
import type { ModelCall } from '../helpers/model-server.ts';

// The programs of four vendors as npm has them, each with the card that the readme shows, against model APIs that speak
// the real formats over TLS.

const PROMPT = 'Write the notes, correct them and say them loudly.';
/** Homes of agents on the host. */
const HOMES = '/run/agent-spawn/homes';
const PLACEHOLDER = /agentspawn[0-9a-f]{40}/;

/** What is known of one program. */
interface Cli {
  readonly agent: string;
  /** Of the card in the examples. */
  readonly id: string;
  readonly host: string;
  readonly key: string;
  /** What it says of a key that the API does not take. */
  readonly onWrongKey: RegExp;
  /** What it says when nobody gives it a prompt or a terminal; null for one that waits without a word. */
  readonly onNoTerminal: RegExp | null;
  /** Hosts that it asks for besides its model, whatever it is told: where plugins of its own come from, say. */
  readonly refused: RegExp | null;
}

const CLIS: readonly Cli[] = [
  {
    agent: 'claude-code',
    id: 'claude',
    host: 'api.anthropic.com',
    key: REAL_KEYS.anthropic,
    onWrongKey: /not one of ours|Invalid API key/,
    onNoTerminal: /Input must be provided/,
    refused: null,
  },
  {
    agent: 'codex',
    id: 'codex',
    host: 'api.openai.com',
    key: REAL_KEYS.openai,
    onWrongKey: /401 Unauthorized/,
    onNoTerminal: /stdin is not a terminal/,
    refused: null,
  },
  {
    agent: 'gemini',
    id: 'gemini',
    host: 'generativelanguage.googleapis.com',
    key: REAL_KEYS.google,
    onWrongKey: /not one of ours/,
    onNoTerminal: /No input provided via stdin/,
    refused: null,
  },
  {
    agent: 'opencode',
    id: 'opencode',
    host: 'api.anthropic.com',
    key: REAL_KEYS.anthropic,
    onWrongKey: /not one of ours/,
    onNoTerminal: null,
    refused: /^registry\./,
  },
];

let stage: AgentClisStage;
before(async () => {
  if (SKIP === false) stage = await AgentClisStage.open();
});
beforeEach(async () => {
  if (SKIP === false) await stage.expectTask();
});
afterEach(async () => {
  for (const { id } of CLIS) {
    await runCommand(['agentctl', 'rm', id]);
    rmSync(`/mnt/agents/${id}`, { recursive: true, force: true });
  }
});
after(() => stage?.close());

/** Writes the card of an example with other keys, and returns its path. */
function variant(agent: string, changes: Readonly<Record<string, unknown>>): string {
  const path = join(stage.egress.bench.directory, `${agent}.json`);
  writeFileSync(path, JSON.stringify({ ...exampleOf(agent).card, $schema: undefined, ...changes }));
  return path;
}

function assertDone({ status, stdout, stderr }: Ended, workspace: string): void {
  assert.equal(status, 0, `${stdout}\n${stderr}`);
  assert.deepEqual(filesOf(workspace), RESULT);
}

async function tellCost(t: TestContext, id: string, seconds: number): Promise<void> {
  const { usage } = await viewAgent(id);
  const mib = Math.round((usage.memoryPeakBytes ?? 0) / 1024 ** 2);
  t.diagnostic(`${id}: ${seconds.toFixed(1)} s, ${mib} MiB, ${usage.cpuSeconds?.toFixed(1)} s of CPU time`);
}

/** Tokens that the server stated. */
function sum(calls: readonly ModelCall[], what: 'input' | 'output'): number {
  return calls.reduce((total, { usage }) => total + (usage?.[what] ?? 0), 0);
}

for (const { agent, id, host, key, refused } of CLIS) {
  test(`${agent} does its task with a key that it never has, and reaches nothing but its model`, {
    skip: SKIP,
  }, async (t) => {
    const { path, card } = exampleOf(agent);
    const workspace = String(card['workspace']);
    const ended = await runCli(path, PROMPT);
    assertDone(ended, workspace);
    await tellCost(t, id, ended.seconds);
    const { uid } = await viewAgent(id);
    for (const name of Object.keys(RESULT)) assert.equal(statSync(join(workspace, name)).uid, uid, name);

    const calls = await stage.egress.internet.modelCalls();
    assert.ok(calls.length >= 4, `${calls.length} calls`);
    assert.deepEqual(
      calls.filter((call) => call.host !== host || call.key !== key || call.status !== 200),
      [],
    );
    assert.ok(calls.some(({ body }) => body.includes(PROMPT)));
    assert.doesNotMatch(JSON.stringify(calls.map(({ headers, target }) => [headers, target])), PLACEHOLDER);

    const places = [workspace, join(HOMES, id)];
    assert.ok(existsSync(join(HOMES, id)));
    assert.ok(filesWith('ANOTHER LINE', ...places).includes(join(workspace, 'loud.txt')));
    assert.deepEqual(filesWith(key, ...places), []);
    assert.ok(!`${ended.stdout}${ended.stderr}`.includes(key));

    await assertReached(id, host, refused);
    const { credentials } = await viewAgent(id);
    const used = credentials.map(({ delivery, usage }) => [
      delivery,
      usage?.modelCalls,
      usage?.inputTokens,
      usage?.outputTokens,
      usage?.estimatedTokens,
    ]);
    assert.deepEqual(used, [['gateway', calls.length, sum(calls, 'input'), sum(calls, 'output'), 0]]);
    const told = (await agentctl('inspect', id)).stdout;
    assert.ok(told.includes(`${sum(calls, 'input')}`) && told.includes(`${sum(calls, 'output')}`), told);
    assert.ok(!told.includes(key));
  });
}

/** Nothing left the host but for one API, and nothing else was asked for but what is known. */
async function assertReached(id: string, host: string, refused: RegExp | null): Promise<void> {
  const decisions = (await auditOf(id)).flatMap((event) => (event.kind === 'decision' ? [event] : []));
  const unknown = decisions.filter(({ verdict, host: to }) => verdict === 'allow' || refused?.test(to ?? '') !== true);
  const told = new Set(unknown.map(({ verdict, form, host: to }) => `${verdict} ${form} ${to}`));
  assert.deepEqual([...told], [`allow gateway ${host}`]);
  const asked = await stage.egress.internet.arrivals('dns');
  assert.deepEqual([...new Set(asked.map(({ name }) => name))], [host]);
}

for (const { agent, onWrongKey } of CLIS) {
  test(`${agent} says so when the API does not take the key`, { skip: SKIP }, async () => {
    const ended = await runCli(variant(agent, { api_key_file: '/etc/agent-spawn/keys/wrong' }), PROMPT);
    const told = `${ended.stdout}${ended.stderr}`;
    assert.notEqual(ended.status, 0, told);
    assert.match(told, onWrongKey);
    assert.ok(!told.includes(REAL_KEYS.wrong));
    const calls = await stage.egress.internet.modelCalls();
    assert.deepEqual([...new Set(calls.map(({ key, status }) => `${key} ${status}`))], [`${REAL_KEYS.wrong} 401`]);
  });
}

for (const { agent, provider, key, options } of [
  { agent: 'opencode', provider: 'ollama', key: null, options: ['-m', 'qwen3'] },
  { agent: 'opencode', provider: 'custom', key: REAL_KEYS.openai, options: ['-m', 'qwen3'] },
  { agent: 'codex', provider: 'custom', key: REAL_KEYS.openai, options: [] },
]) {
  test(`${agent} does its task with a model of this host, as provider ${provider}`, { skip: SKIP }, async () => {
    const models = await stage.localModels(key);
    const file = key === null ? {} : { api_key_file: '/etc/agent-spawn/keys/openai' };
    const credential = { provider, base_url: `http://127.0.0.1:${models.port}/v1`, ...file };
    const card = variant(agent, { api_provider: undefined, api_key_file: undefined, credentials: [credential] });
    assertDone(await runCli(card, ...options, PROMPT), `/mnt/agents/${agent}`);
    const calls = await models.end();
    assert.ok(calls.length >= 4, `${calls.length} calls`);
    assert.deepEqual(
      calls.filter(({ status }) => status !== 200),
      [],
    );
    if (key !== null) assert.deepEqual([...new Set(calls.map((call) => call.key))], [key]);
    assert.deepEqual(await stage.egress.internet.modelCalls(), []);
  });
}

test('claude-code does its task through the gateway of a company', { skip: SKIP }, async () => {
  const file = '/etc/agent-spawn/keys/anthropic';
  const credential = { provider: 'anthropic', base_url: 'https://models.example.com/anthropic', api_key_file: file };
  const card = variant('claude-code', { api_provider: undefined, api_key_file: undefined, credentials: [credential] });
  assertDone(await runCli(card, PROMPT), '/mnt/agents/claude');
  const calls = await stage.egress.internet.modelCalls();
  const told = new Set(calls.map(({ host, target, key }) => `${host}${target.replace(/\?.*/, '')} ${key}`));
  assert.deepEqual([...told], [`models.example.com/anthropic/v1/messages ${REAL_KEYS.anthropic}`]);
  await assertReached('claude', 'models.example.com', null);
});

for (const { agent, onNoTerminal } of CLIS.filter((cli) => cli.onNoTerminal !== null)) {
  test(`${agent} without a prompt is the form for people, and wants a terminal`, { skip: SKIP }, async () => {
    const ended = await runCommand(['agent-spawn', exampleOf(agent).path], { deadlineMs: DEADLINE_MS });
    assert.notEqual(ended.status, 0);
    assert.match(ended.stderr, onNoTerminal ?? /^$/);
    assert.deepEqual(await stage.egress.internet.modelCalls(), []);
  });
}
