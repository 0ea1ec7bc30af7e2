import assert from 'node:assert/strict';
import test from 'node:test';
import { ERRORS, type ErrorCode, SpawnError } from '../../../src/base/errors.ts';
import { assertDescribed, assertFollows } from './description.ts';
import { CALLER_UID, type FakeDaemon, startFakeDaemon } from './fake-daemon.ts';
import { changeQuestion, type HttpQuestion, http, launchQuestion } from './http.ts';
import { agentDetail, agentView, endedView } from './views.ts';

/** An answer of every operation, with an agent `demo` that runs. */
const SUCCESSES: readonly (readonly [status: number, template: string, question: HttpQuestion])[] = [
  [200, '/v1/version', { target: '/v1/version' }],
  [200, '/v1/agents', { target: '/v1/agents' }],
  [200, '/v1/agents', { target: '/v1/agents?ended=true' }],
  [201, '/v1/agents', launchQuestion({ agent_id: 'second' })],
  [200, '/v1/plans', { ...launchQuestion({ agent_id: 'second' }), target: '/v1/plans' }],
  [200, '/v1/agents/{id}', { target: '/v1/agents/demo' }],
  [200, '/v1/agents/{id}/inspect', { target: '/v1/agents/demo/inspect' }],
  [200, '/v1/agents/{id}/start', { method: 'POST', target: '/v1/agents/demo/start' }],
  [200, '/v1/agents/{id}/stop', { method: 'POST', target: '/v1/agents/demo/stop' }],
  [200, '/v1/agents/{id}/restart', { method: 'POST', target: '/v1/agents/demo/restart' }],
  [200, '/v1/agents/{id}/wait', { target: '/v1/agents/over/wait' }],
  [200, '/v1/agents/{id}/hold', { method: 'POST', target: '/v1/agents/over/hold' }],
  [204, '/v1/agents/{id}/output', outputQuestion('demo', 'stdout')],
  [200, '/v1/agents/{id}/audit', { target: '/v1/agents/demo/audit' }],
  [200, '/v1/agents/{id}/audit', { target: '/v1/agents/demo/audit?denied=true&follow=false' }],
  [200, '/v1/agents/{id}/audit/verify', { target: '/v1/agents/demo/audit/verify' }],
  [200, '/v1/agents/{id}/egress', { target: '/v1/agents/demo/egress' }],
  [201, '/v1/agents/{id}/egress', changeQuestion('demo', { action: 'allow', host: 'docs.example.com' })],
  [204, '/v1/agents/{id}', { method: 'DELETE', target: '/v1/agents/over' }],
];

test('every operation answers as described', async (t) => {
  const daemon = await populated(t);
  for (const [status, template, question] of SUCCESSES) {
    const answer = await http(daemon.socketPath, question);
    assert.equal(answer.status, status, `${question.method ?? 'GET'} ${question.target}: ${answer.text}`);
    assertDescribed(question.method ?? 'GET', template, answer);
  }
  assert.deepEqual(daemon.errors, []);
});

test('every operation on an agent that nobody knows answers a problem document with status 404', async (t) => {
  const daemon = await startFakeDaemon(t);
  const perAgent = SUCCESSES.filter(([, template]) => template.includes('{id}'));
  assert.equal(perAgent.length, 14);
  for (const [, template, question] of perAgent) {
    const answer = await http(daemon.socketPath, {
      ...question,
      target: question.target.replace(/demo|over/, 'nobody'),
    });
    assert.equal(answer.status, 404, question.target);
    assertDescribed(question.method ?? 'GET', template, answer);
    assert.equal(JSON.parse(answer.text).code, 'sandbox.not-found');
  }
});

test('every code of the error table becomes its status and a problem document', async (t) => {
  const daemon = await startFakeDaemon(t);
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const problems = [{ code, pointer: '/agent_id', message: 'Is wrong.', suggestion: 'Write demo.' }];
    const card = { agent_id: 'demo', error: [code, `message of ${code}`, { remedy: `remedy of ${code}`, problems }] };
    const answer = await http(daemon.socketPath, launchQuestion(card));
    assertDescribed('POST', '/v1/agents', answer);
    assert.deepEqual(
      [answer.status, JSON.parse(answer.text)],
      [
        ERRORS[code].http,
        {
          type: `urn:agent-spawn:problem:${code}`,
          title: ERRORS[code].summary,
          status: ERRORS[code].http,
          code,
          detail: `message of ${code}`,
          remedy: `remedy of ${code}`,
          problems,
        },
      ],
    );
  }
});

test('a failure nobody expected is reported to the owner and hidden from the caller', async (t) => {
  const daemon = await startFakeDaemon(t);
  const bug = new TypeError('secret detail');
  daemon.operations.get = () => Promise.reject(bug);
  const answer = await http(daemon.socketPath, { target: '/v1/agents/demo' });
  assertDescribed('GET', '/v1/agents/{id}', answer);
  assert.equal(answer.status, 500);
  assert.ok(!answer.text.includes('secret'), answer.text);
  assert.deepEqual(daemon.errors, [bug]);
});

test('a refusal is not reported to the owner', async (t) => {
  const daemon = await startFakeDaemon(t);
  daemon.operations.get = () => Promise.reject(new SpawnError('sandbox.not-found', 'no'));
  await http(daemon.socketPath, { target: '/v1/agents/demo' });
  assert.deepEqual(daemon.errors, []);
});

test('the uid of the connection is the caller of the operation', async (t) => {
  const daemon = await startFakeDaemon(t);
  await http(daemon.socketPath, launchQuestion({ agent_id: 'demo' }));
  assert.deepEqual(daemon.operations.calls, [`launch demo by ${CALLER_UID}`]);
});

test('an answer that is not as described does not pass the check', () => {
  assertFollows('AgentView', agentView('demo'));
  assertFollows('AgentDetail', agentDetail(agentView('demo')));
  assert.throws(() => assertFollows('AgentView', { ...agentView('demo'), secret: 1 }), /unevaluatedProperties/);
  assert.throws(() => assertFollows('AgentView', { ...agentView('demo'), startedAt: 'yesterday' }), /startedAt/);
  assert.throws(() => assertFollows('AgentView', { ...agentView('demo'), uid: '0' }), /integer/);
  assert.throws(() =>
    assertDescribed('GET', '/v1/version', { status: 201, mediaType: 'application/json', text: '{}' }),
  );
});

function outputQuestion(id: string, stream: string): HttpQuestion {
  return {
    method: 'POST',
    target: `/v1/agents/${id}/output?stream=${stream}`,
    headers: { 'content-type': 'application/octet-stream' },
    body: 'a line\n',
  };
}

/** A daemon with an agent `demo` that runs and an agent `over` that ended. */
async function populated(t: Parameters<typeof startFakeDaemon>[0]): Promise<FakeDaemon> {
  const daemon = await startFakeDaemon(t);
  const { agents } = daemon.operations;
  const outcome = { kind: 'signalled', status: 137, signal: 'SIGKILL', message: 'SIGKILL ended it.' } as const;
  const never = new Promise<void>(() => undefined);
  agents.set('demo', { view: agentView('demo'), child: null, stopRequested: false, ended: never });
  agents.set('over', { view: endedView('over', outcome), child: null, stopRequested: false, ended: Promise.resolve() });
  return daemon;
}
