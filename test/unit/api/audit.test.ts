import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import test from 'node:test';
import type { AuditEntry } from '../../../src/control/views.ts';
import { assertDescribed } from './description.ts';
import { type FakeDaemon, startFakeDaemon } from './fake-daemon.ts';
import { changeQuestion, http, launchQuestion } from './http.ts';
import { auditEntries } from './views.ts';

const AUDIT = '/v1/agents/demo/audit';

async function populated(t: Parameters<typeof startFakeDaemon>[0]): Promise<FakeDaemon> {
  const daemon = await startFakeDaemon(t);
  await http(daemon.socketPath, launchQuestion({ agent_id: 'demo' }));
  return daemon;
}

/** Entries of a followed audit, one for each call. */
async function follow(daemon: FakeDaemon): Promise<{ next: () => Promise<AuditEntry>; close: () => void }> {
  const asked = request({ socketPath: daemon.socketPath, path: `${AUDIT}?follow=true`, agent: false });
  asked.on('error', () => undefined);
  asked.end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.on('error', () => undefined);
  const pieces = answer[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let rest = '';
  const next = async (): Promise<AuditEntry> => {
    while (!rest.includes('\n')) {
      const { value, done } = await pieces.next();
      assert.notEqual(done, true, 'the answer goes on');
      rest += String(value);
    }
    const line = rest.slice(0, rest.indexOf('\n'));
    rest = rest.slice(line.length + 1);
    return JSON.parse(line) as AuditEntry;
  };
  return { next, close: () => void asked.destroy() };
}

test('an audit is one entry per line, all of them or those that tell of refusals', async (t) => {
  const daemon = await populated(t);
  const all = await http(daemon.socketPath, { target: AUDIT });
  assert.deepEqual(
    all.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    auditEntries('demo'),
  );
  const denied = await http(daemon.socketPath, { target: `${AUDIT}?denied=true` });
  assert.equal(denied.text.trimEnd().split('\n').length, 5);
});

test('an audit that is followed goes on with what comes later', async (t) => {
  const daemon = await populated(t);
  const followed = await follow(daemon);
  const old = auditEntries('demo');
  for (const entry of old) assert.deepEqual(await followed.next(), entry);
  const more: AuditEntry = { kind: 'broken-line', file: 'audit.jsonl', line: 99 };
  daemon.operations.more(more);
  assert.deepEqual(await followed.next(), more);
  followed.close();
});

test('nothing is followed any more once the caller has gone', async (t) => {
  const daemon = await populated(t);
  let signal: AbortSignal | null = null;
  const { operations } = daemon;
  const audit = operations.audit.bind(operations);
  operations.audit = (id, options) => {
    signal = options.follow;
    return audit(id, options);
  };
  const followed = await follow(daemon);
  await followed.next();
  const aborted = once(signal ?? new EventTarget(), 'abort');
  followed.close();
  await aborted;
  assert.deepEqual(daemon.errors, []);
});

test('a reader that stands still holds back what is read for it', async (t) => {
  const daemon = await populated(t);
  let taken = 0;
  const wide = { ...(auditEntries('demo')[3] as AuditEntry), path: `/${'x'.repeat(4000)}` } as AuditEntry;
  daemon.operations.audit = async () =>
    (async function* () {
      for (; taken < 100_000; taken += 1) yield wide;
    })();
  const asked = request({ socketPath: daemon.socketPath, path: AUDIT, agent: false });
  asked.on('error', () => undefined);
  asked.end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.on('error', () => undefined);
  answer.pause();
  // Others are answered meanwhile, so that the writer has had every chance to go on.
  for (let turn = 0; turn < 50; turn += 1) await http(daemon.socketPath, { target: '/v1/version' });
  assert.ok(taken < 5_000, `${taken} entries were taken for a reader that reads none`);
  asked.destroy();
});

test('a failure in the middle of an audit is told in its stream', async (t) => {
  const daemon = await populated(t);
  daemon.operations.audit = async () =>
    (async function* () {
      yield* auditEntries('demo').slice(0, 1);
      throw new TypeError('bug');
    })();
  const answer = await http(daemon.socketPath, { target: AUDIT });
  assertDescribed('GET', '/v1/agents/{id}/audit', answer);
  const messages = answer.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual([messages.length, messages[1].kind, messages[1].problem.code], [2, 'failed', 'control.internal']);
  assert.equal(daemon.errors.length, 1);
});

test('a rule is added for the caller who asks, and every deviation from the description is refused', async (t) => {
  const daemon = await populated(t);
  const answer = await http(daemon.socketPath, changeQuestion('demo', { action: 'deny', host: '*.example.com' }));
  assert.deepEqual([answer.status, JSON.parse(answer.text).pointer], [201, '/live/deny/0']);
  assert.match(daemon.operations.calls.at(-1) ?? '', /^deny \*\.example\.com for demo by \d+$/);
  const bodies: readonly (readonly [body: unknown, pointer: string])[] = [
    [{ action: 'grant', host: 'a.example' }, '/action'],
    [{ action: 'allow' }, ''],
    [{ action: 'allow', host: '' }, '/host'],
    [{ action: 'allow', host: 'a b' }, '/host'],
    [{ action: 'allow', host: 'a\u0000' }, '/host'],
    [{ action: 'allow', host: 'x'.repeat(513) }, '/host'],
    [{ action: 'allow', host: 'a.example', ports: [22] }, '/ports'],
    [[], ''],
  ];
  for (const [body, pointer] of bodies) {
    const refused = await http(daemon.socketPath, changeQuestion('demo', body));
    assertDescribed('POST', '/v1/agents/{id}/egress', refused);
    assert.deepEqual([refused.status, JSON.parse(refused.text).problems[0]?.pointer], [400, pointer]);
  }
  assert.equal(daemon.operations.calls.filter((call) => call.includes(' for demo by ')).length, 1);
});
