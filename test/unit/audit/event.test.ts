import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { appendToChain, CHAIN_START } from '../../../src/audit/chain.ts';
import {
  type AuditDraft,
  type AuditSubject,
  auditSubject,
  decisionDraft,
  openedDraft,
  rulesChangedDrafts,
  tunnelClosedDraft,
  UNREADABLE,
} from '../../../src/audit/event.ts';
import { AUDIT_LINE_BYTES_MAX, AUDIT_PATH_MAX } from '../../../src/base/limits.ts';
import { CHECKOUT } from '../../helpers/checkout.ts';
import { ADDRESS, decision, drafts, INTENT, rule, TABLE } from './samples.ts';

const SCHEMA = JSON.parse(readFileSync(join(CHECKOUT, 'schema/audit-event.schema.json'), 'utf8')) as {
  readonly examples: readonly object[];
  readonly oneOf: readonly object[];
};
const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(SCHEMA);

function line(draft: AuditDraft): string {
  return appendToChain(CHAIN_START, { time: '2030-01-01T00:00:00.000Z', agent: 'demo' }, draft).line;
}

/** Fails when the line of an event does not follow the schema. */
function assertValid(draft: AuditDraft): void {
  const text = line(draft);
  assert.ok(validate(JSON.parse(text)), `${text}${JSON.stringify(validate.errors, null, 2)}`);
  assert.ok(text.length <= AUDIT_LINE_BYTES_MAX, `${text.length} bytes`);
}

test('every kind of event follows the schema, and the schema has no other kinds', () => {
  for (const draft of drafts()) assertValid(draft);
  assert.equal(new Set(drafts().map(({ kind }) => kind)).size, SCHEMA.oneOf.length);
});

test('the schema is closed: it refuses one member more, one less, and another type', () => {
  for (const draft of drafts()) {
    const event = JSON.parse(line(draft)) as Readonly<Record<string, unknown>>;
    assert.equal(validate({ ...event, query: 'token=1' }), false, `${draft.kind} with another member`);
    for (const name of Object.keys(event)) {
      const { [name]: _, ...rest } = event;
      assert.equal(validate(rest), false, `${draft.kind} without ${name}`);
      assert.equal(validate({ ...event, [name]: { nested: true } }), false, `${draft.kind} with an object in ${name}`);
    }
  }
});

test('every part of the schema is described and its examples hold', () => {
  const undescribed: string[] = [];
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) visit(inner, `${path}/${key}`);
    if (/\/properties\/\w+$/.test(path) && !('description' in value)) undescribed.push(path);
  };
  visit(SCHEMA, '');
  assert.deepEqual(undescribed, []);
  assert.ok(SCHEMA.examples.length > 0);
  for (const example of SCHEMA.examples) assert.ok(validate(example), JSON.stringify(validate.errors));
});

test('a request that was allowed is written with rule, form, destination and the address that is dialled', () => {
  assert.deepEqual(decisionDraft(auditSubject(INTENT), decision(), ADDRESS), {
    kind: 'decision',
    verdict: 'allow',
    reason: 'egress.allowed',
    rule: '/allowed_hosts/0',
    form: 'tunnel',
    method: 'CONNECT',
    host: 'api.example.com',
    port: 443,
    path: null,
    address: '203.0.113.7',
  });
});

test('nothing that may be a secret gets into an event: no query, no fragment, no user name, no credentials', () => {
  const subject: AuditSubject = {
    form: 'http',
    method: 'GET',
    host: 'joe:s3cret@API.example.com?k=s3cret#s3cret',
    port: 80,
    path: '/a/b?token=s3cret#s3cret',
  };
  const written = [
    decisionDraft(subject, decision(), null),
    openedDraft(TABLE),
    tunnelClosedDraft(
      { host: 'x:s3cret@h', port: 1, address: null },
      { bytesSent: 0, bytesReceived: 0, durationMs: 0 },
    ),
  ];
  for (const draft of written) assertValid(draft);
  assert.equal(/s3cret|hunter2/.test(JSON.stringify(written)), false, JSON.stringify(written));
  assert.equal(written[0]?.kind === 'decision' && written[0].path, '/a/b');
});

test('what is no plain host is shown escaped, in quotes, and cut', () => {
  const hosts: readonly (readonly [given: string, shown: string])[] = [
    ['evil\u001b[2J.example', '"evil\\u001b[2J.example"'],
    ['a b', '"a b"'],
    ['EXAMPLE.com', '"EXAMPLE.com"'],
    ['b\u00fccher.example', '"b\u00fccher.example"'],
    ['', '""'],
    ['2001:db8::1', '2001:db8::1'],
    ['x'.repeat(70_000), `"${'x'.repeat(59)}\u2026"`],
  ];
  for (const [host, shown] of hosts) {
    const draft = decisionDraft({ ...UNREADABLE, host }, decision({ verdict: 'deny' }), null);
    assert.equal(draft.host, shown);
    assertValid(draft);
  }
});

test('no request makes an event that is too large or breaks the schema', () => {
  const wild = ['\u0000'.repeat(9000), '\ud800', '"\\"'.repeat(9000), '\u2028'.repeat(500), '\u{1f600}'.repeat(9000)];
  for (const text of wild) {
    const subject: AuditSubject = { form: 'http', method: text, host: text, port: 70_000, path: `/${text}` };
    const draft = decisionDraft(subject, decision({ verdict: 'deny', reason: 'egress.bad-request' }), null);
    assertValid(draft);
    assert.equal(draft.port, null);
    assert.match(line(draft), /^[\x20-\x7e]*\n$/);
  }
  assertValid(decisionDraft(UNREADABLE, decision({ verdict: 'deny', reason: 'egress.bad-request', rule: null }), null));
});

test('a long path is cut, and what is not printable in it is percent-encoded', () => {
  const path = (given: string): string | null => decisionDraft({ ...UNREADABLE, path: given }, decision(), null).path;
  assert.equal(path(`/${'a'.repeat(2000)}`), `/${'a'.repeat(AUDIT_PATH_MAX - 1)}...`);
  assert.equal(path('/a\r\n\u00e9'), '/a%0D%0A%C3%A9');
});

test('rules that come and go are told, each once; rules that stay are not', () => {
  const live = rule({ host: 'new.example', pointer: '/live/allow/0' });
  const before = { allow: [rule()], deny: [] };
  const after = { allow: [rule(), live], deny: [rule({ pointer: '/live/deny/0', ports: null })] };
  const told = rulesChangedDrafts(before, after).map(({ change, action, rule: pointer, host, ports }) => [
    change,
    action,
    pointer,
    host,
    ports,
  ]);
  assert.deepEqual(told, [
    ['added', 'deny', '/live/deny/0', 'api.example.com', null],
    ['added', 'allow', '/live/allow/0', 'new.example', [80, 443]],
  ]);
  assert.deepEqual(
    rulesChangedDrafts(after, before).map(({ change }) => change),
    ['removed', 'removed'],
  );
  assert.deepEqual(rulesChangedDrafts(after, after), []);
});

test('an upstream proxy that the configuration names is told as that', () => {
  const { upstream } = TABLE;
  assert.ok(upstream !== null);
  const draft = openedDraft({ ...TABLE, upstream: { ...upstream, credentials: null, from: 'config.json' } });
  assertValid(draft);
  assert.deepEqual(draft, { ...openedDraft(TABLE), upstreamFrom: 'config.json' });
});

test('two sets of rules are told apart by their digest, the order included', () => {
  const digest = (hosts: readonly string[]): string =>
    openedDraft({ ...TABLE, policy: { allow: hosts.map((host) => rule({ host })), deny: [] } }).policy;
  assert.equal(digest(['a', 'b']), digest(['a', 'b']));
  assert.equal(new Set([digest([]), digest(['a']), digest(['a', 'b']), digest(['b', 'a'])]).size, 4);
});
