import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ModelCallEvent } from '../../src/audit/event.gen.ts';
import type { AgentDetail } from '../../src/client/api.gen.ts';
import { agentctl, succeed, viewAgent } from '../helpers/agents.ts';
import { inTime, runCommand } from '../helpers/commands.ts';
import { CredentialStage, call, KEYS } from '../helpers/credential-stage.ts';
import type { ModelCall } from '../helpers/model-server.ts';
import { type Puppet, verdictOf } from '../helpers/puppet.ts';

// What is used of models is counted as their servers state it, and a budget ends it.

const PROXY = 'agent-egressd.service';

/** The model and the one question to it. */
const QUESTION = { model: 'canned', max_tokens: 100, messages: [{ role: 'user', content: 'Say something.' }] };

/** Requests of each API, as a whole and as a stream. */
const REQUESTS: readonly string[] = [
  post('/anthropic/v1/messages', QUESTION),
  post('/anthropic/v1/messages', { ...QUESTION, stream: true }),
  post('/openai/v1/chat/completions', QUESTION),
  post('/openai/v1/chat/completions', { ...QUESTION, stream: true, stream_options: { include_usage: true } }),
  post('/openai/v1/responses', { model: 'canned', input: 'Say something.' }),
  post('/openai/v1/responses', { model: 'canned', input: 'Say something.', stream: true }),
];

let stage: CredentialStage;
before(async () => {
  stage = await CredentialStage.open();
});
after(() => stage?.close());

function post(path: string, body: object): string {
  return call('POST', path, ['Content-Type: application/json'], JSON.stringify(body));
}

/** Starts an agent whose two model APIs answer from the beginning. */
async function start(card: Readonly<Record<string, unknown>> = {}): Promise<Puppet> {
  const keys = { anthropic: KEYS.api, google: null, 'openai-chat': KEYS.other, 'openai-responses': KEYS.other };
  await stage.egress.internet.serveModels(['api.example.com', 'other.example.com'], { keys, actions: [] });
  const [puppet] = await stage.agent(card);
  return puppet;
}

/** Tokens that the servers stated so far. */
async function statedTokens(): Promise<{ readonly input: number; readonly output: number }> {
  const usages = (await stage.egress.internet.modelCalls()).map(({ usage }: ModelCall) => usage);
  const sum = (kind: 'input' | 'output'): number => usages.reduce((total, usage) => total + (usage?.[kind] ?? 0), 0);
  return { input: sum('input'), output: sum('output') };
}

/** Events of calls that are over, as many as there must be: the last is written after its answer. */
async function modelCalls(id: string, count: number): Promise<readonly ModelCallEvent[]> {
  const read = async (): Promise<readonly ModelCallEvent[]> => {
    for (;;) {
      const events = (await stage.audit(id)).flatMap((event) => (event.kind === 'model-call' ? [event] : []));
      if (events.length >= count) return events;
    }
  };
  return await inTime(read(), `${count} calls in the audit`);
}

async function killProxy(): Promise<void> {
  const pid = (): Promise<string> =>
    succeed(runCommand(['systemctl', 'show', '-P', 'MainPID', PROXY])).then(({ stdout }) => stdout);
  const before = await pid();
  await succeed(runCommand(['systemctl', 'kill', '--signal=KILL', '--kill-who=main', PROXY]));
  const isBack = async (): Promise<void> => {
    for (let now = before; now === before || now.trim() === '0'; now = await pid());
  };
  await inTime(isBack(), 'another proxy');
}

/** Asks until the proxy is there again. */
async function askAgain(puppet: Puppet, request: string): Promise<string> {
  const answered = async (): Promise<string> => {
    for (;;) {
      const answer = await puppet.ask(request);
      if (/^\d/.test(verdictOf(answer)) && !verdictOf(answer).startsWith('5')) return answer;
    }
  };
  return await inTime(answered(), 'the proxy to answer');
}

test('inspect and the audit say of each gateway what its server stated, whole and streamed', async () => {
  const puppet = await start();
  for (const request of REQUESTS) assert.equal(verdictOf(await puppet.ask(request)), '200', request);
  const events = await modelCalls(puppet.id, REQUESTS.length);
  const calls = await stage.egress.internet.modelCalls();
  assert.deepEqual(
    events.map(({ mount, status, inputTokens, outputTokens, isEstimated }) => [
      mount,
      status,
      inputTokens,
      outputTokens,
      isEstimated,
    ]),
    calls.map(({ host, status, usage }) => [
      host === 'api.example.com' ? '/anthropic' : '/openai/v1',
      status,
      usage?.input,
      usage?.output,
      false,
    ]),
  );
  const { credentials } = await viewAgent(puppet.id);
  assert.deepEqual(
    credentials.map(({ provider, delivery, address, leadsTo, usage }) => [
      provider,
      delivery,
      address,
      leadsTo,
      usage?.requests,
    ]),
    [
      ['anthropic', 'gateway', 'http://127.0.0.1:3128/anthropic', 'https://api.example.com', 2],
      ['custom', 'gateway', 'http://127.0.0.1:3128/custom/echo.example.com', 'https://echo.example.com', 0],
      ['openai', 'gateway', 'http://127.0.0.1:3128/openai/v1', 'https://other.example.com/v1', 4],
    ],
  );
  const stated = await statedTokens();
  const sum = (kind: 'inputTokens' | 'outputTokens' | 'estimatedTokens'): number =>
    credentials.reduce((total, { usage }) => total + (usage?.[kind] ?? 0), 0);
  assert.deepEqual([sum('inputTokens'), sum('outputTokens'), sum('estimatedTokens')], [stated.input, stated.output, 0]);
  const {
    mount: _,
    provider: _provider,
    totals,
  } = events.filter(({ mount }) => mount === '/anthropic').at(-1) ?? assert.fail();
  const { since, ...counts } = totals;
  assert.deepEqual(counts, credentials[0]?.usage);
  assert.ok(Date.parse(since) <= Date.now());
  const { stdout } = await succeed(agentctl('inspect', puppet.id));
  assert.match(
    stdout,
    /Key +anthropic by the gateway http:\/\/127\.0\.0\.1:3128\/anthropic to https:\/\/api\.example\.com\n +2 requests, /,
  );
  for (const key of Object.values(KEYS)) assert.ok(!stdout.includes(key));
});

test('a stream that states nothing is estimated by its bytes, and a question for the models costs nothing', async () => {
  const puppet = await start();
  assert.equal(verdictOf(await puppet.ask(post('/openai/v1/chat/completions', { ...QUESTION, stream: true }))), '200');
  assert.equal(verdictOf(await puppet.ask(call('GET', '/openai/v1/models'))), '200');
  const [asked, listed] = await modelCalls(puppet.id, 2);
  assert.ok(asked !== undefined && listed !== undefined);
  const { bytesSent, bytesReceived } = asked;
  assert.deepEqual(
    [asked.isEstimated, asked.inputTokens, asked.outputTokens, asked.estimatedTokens],
    [true, 0, 0, Math.ceil((bytesSent + bytesReceived) / 4)],
  );
  assert.deepEqual(
    [listed.isEstimated, listed.estimatedTokens, listed.totals.modelCalls, listed.totals.requests],
    [false, 0, 1, 2],
  );
});

test('a budget of requests ends with a clear refusal, before anything is sent, also after the proxy was killed', async () => {
  const puppet = await start({ budget: { requests: 3 } });
  const [request = ''] = REQUESTS;
  assert.equal(verdictOf(await puppet.ask(request)), '200');
  assert.equal(verdictOf(await puppet.ask(request)), '200');
  await modelCalls(puppet.id, 2);
  await killProxy();
  assert.equal(verdictOf(await askAgain(puppet, request)), '200');
  const refused = await puppet.ask(request);
  assert.equal(verdictOf(refused), '429 egress.budget');
  assert.match(refused, /\r\nx-should-retry: false\r\n/);
  const error = JSON.parse(refused.slice(refused.indexOf('\r\n\r\n'))) as {
    readonly error: Readonly<Record<string, string>>;
  };
  assert.deepEqual([error.error['type'], error.error['code']], ['budget_exhausted', 'egress.budget']);
  assert.equal((await stage.egress.internet.modelCalls()).length, 3);
  assert.equal(verdictOf(await puppet.ask(call('GET', '/openai/v1/models'))), '200', 'what calls no model goes on');
  const { budget } = await viewAgent(puppet.id);
  assert.deepEqual([budget?.requestsSpent, budget?.requestsLeft], [3, 0]);
  assert.match((await succeed(agentctl('status', puppet.id))).stdout, /Budget +0 of 3 calls of a model left\n/);
});

test('a budget of tokens ends with the call that spends it, over all gateways, and a new run begins anew', async () => {
  const card = { budget: { tokens: 2500 } };
  const puppet = await start(card);
  const [whole = '', streamed = '', chat = ''] = REQUESTS;
  for (const request of [whole, streamed]) assert.equal(verdictOf(await puppet.ask(request)), '200');
  await modelCalls(puppet.id, 2);
  await killProxy();
  assert.equal(verdictOf(await askAgain(puppet, chat)), '200');
  await modelCalls(puppet.id, 3);
  await killProxy();
  assert.equal(verdictOf(await askAgain(puppet, whole)), '429 egress.budget');
  const stated = await statedTokens();
  const { budget } = await viewAgent(puppet.id);
  assert.deepEqual([budget?.tokensSpent, budget?.tokensLeft], [stated.input + stated.output, 0]);
  await puppet.end();
  const ended = await viewAgent(puppet.id);
  assert.equal(ended.budget?.tokensSpent, stated.input + stated.output, 'an ended agent keeps its counts');
  const again = await stage.egress.agent({ ...stage.credentials(), ...card, agent_id: puppet.id });
  const fresh = await viewAgent(again.id);
  assert.deepEqual([fresh.budget?.tokensSpent, fresh.budget?.tokensLeft], [0, 2500]);
  assert.equal(verdictOf(await again.ask(whole)), '200');
});

test('a plan names the source of each key and what the agent has in its place, and no value', async () => {
  const [puppet] = await stage.agent();
  const { stdout } = await succeed(agentctl('inspect', '--json', puppet.id));
  const { plan } = JSON.parse(stdout) as AgentDetail;
  assert.deepEqual(
    plan.credentials.map(({ source, address, usage }) => [source, address, usage]),
    [
      [stage.keyFile('api'), 'http://127.0.0.1:3128/anthropic', null],
      [stage.keyFile('echo'), 'http://127.0.0.1:3128/custom/echo.example.com', null],
      [stage.keyFile('other'), 'http://127.0.0.1:3128/openai/v1', null],
    ],
  );
  for (const key of Object.values(KEYS)) assert.ok(!stdout.includes(key));
});
