import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { auditLine, hostPort, reasonText } from '../../../src/cli/audit-text.ts';
import { refusalsText, requestsText } from '../../../src/cli/egress-text.ts';
import { summaryText } from '../../../src/cli/summary.ts';
import { assertFollows } from '../api/description.ts';
import { type FakeDaemon, startFakeDaemon } from '../api/fake-daemon.ts';
import { agentView, auditCheckView, auditEntries, COUNTS, endedView } from '../api/views.ts';
import { cardFile } from './card-file.ts';
import { assertGolden } from './golden.ts';
import { type Finished, runProgram, startProgram } from './program.ts';

const EXITED = { kind: 'exited', status: 0, signal: null, message: 'It exited with status 0.' } as const;
/** Everything but line feeds that a terminal obeys, and marks that turn the direction of reading. */
const OBEYED = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/;

test('every kind of entry is one line, as recorded', () => {
  const lines = auditEntries('demo').map(auditLine);
  for (const line of lines) assert.match(line, /^[^\n]+\n$/);
  assertGolden('audit.txt', lines.join(''));
});

test('nothing in an event reaches the terminal as anything but text', () => {
  const evil = 'x\u001b]52;c;aGk=\u0007\u202e\r\n\u009b2J';
  for (const entry of auditEntries('demo')) {
    const texts = Object.entries(entry).filter(([name, value]) => name !== 'kind' && typeof value === 'string');
    const changed = { ...entry, ...Object.fromEntries(texts.map(([name]) => [name, evil])) } as typeof entry;
    assert.equal(OBEYED.test(auditLine(changed)), false, JSON.stringify(auditLine(changed)));
  }
});

test('an event of a kind that only a later version knows is shown as it is', () => {
  const later = { ...auditEntries('demo')[0], kind: 'credential-used' } as unknown as Parameters<typeof auditLine>[0];
  assert.match(auditLine(later), /\{.*"kind":"credential-used".*\}\n$/);
});

test('a host and a port are written so that they can be told apart', () => {
  assert.deepEqual(
    [hostPort('a.example', 443), hostPort('2001:db8::1', 80), hostPort('"a:b"', 80), hostPort(null, null)],
    ['a.example:443', '[2001:db8::1]:80', '"a:b":80', '?'],
  );
});

test('a reason is told in words, and one that this version does not know by its code', () => {
  assert.equal(reasonText('egress.port'), 'egress.port: The rule for this host does not name this port.');
  assert.equal(reasonText('egress.of-tomorrow'), 'egress.of-tomorrow');
  assert.equal(reasonText('toString'), 'toString');
});

test('refusals are told most frequent first, with what is left over and where to read more', () => {
  const agent = agentView('demo', { egress: COUNTS });
  assert.equal(
    refusalsText(agent),
    'evil.example:443 30 times (egress.no-rule), "ev\\x1bil":80 5 times (egress.host-name), ' +
      '[2001:db8::1]:443 2 times (egress.address-unlisted), and 3 more; see: agentctl audit demo --denied',
  );
  assert.equal(requestsText(agent), '12 allowed, 40 refused');
  const once = { ...COUNTS, refused: 1, topRefusals: COUNTS.topRefusals.slice(3) };
  assert.equal(
    refusalsText(agentView('demo', { egress: once })),
    'other.example:443 (egress.no-rule); see: agentctl audit demo --denied',
  );
  const unnamed = { ...COUNTS, refused: 2, topRefusals: [] };
  assert.match(refusalsText(agentView('demo', { egress: unnamed })) ?? '', /^2 requests; see/);
  assert.equal(refusalsText(agentView('demo', { egress: { ...COUNTS, refused: 0, topRefusals: [] } })), null);
  assert.deepEqual([refusalsText(agentView('demo')), requestsText(agentView('demo'))], [null, null]);
});

test('the summary of an agent that was refused something has one line more', () => {
  const quiet = summaryText(endedView('demo', EXITED));
  assert.match(quiet, /^agent demo: exited 0 [^\n]*\n$/);
  const refused = summaryText(endedView('demo', EXITED, { egress: COUNTS }));
  assert.equal(refused.split('\n').length, 3);
  assert.match(refused, /\nagent demo: refused evil\.example:443 30 times .*; see: agentctl audit demo --denied\n$/);
});

test('an audit is shown as lines, or as the events themselves', async (t) => {
  const daemon = await populated(t);
  const shown = await control(['audit', 'demo'], daemon);
  assert.deepEqual([shown.status, shown.stderr], [0, '']);
  assert.equal(shown.stdout, auditEntries('demo').map(auditLine).join(''));
  const denied = await control(['audit', '--denied', 'demo'], daemon);
  assert.equal(denied.stdout.match(/ refused /g)?.length, 5);
  const json = await control(['audit', '--json', 'demo'], daemon);
  const entries = json.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(entries, auditEntries('demo'));
  for (const entry of entries) assertFollows('AuditEntry', entry);
});

test('an audit without entries says so to people', async (t) => {
  const daemon = await populated(t);
  daemon.operations.audit = async () => (async function* () {})();
  assert.equal((await control(['audit', 'demo'], daemon)).stdout, 'No events.\n');
  assert.equal((await control(['audit', '-d', 'demo'], daemon)).stdout, 'No refusals.\n');
  assert.equal((await control(['audit', '--json', 'demo'], daemon)).stdout, '');
});

test('an audit that is followed goes on over a restart of the daemon, and nothing is shown twice', async (t) => {
  const daemon = await populated(t);
  const words = ['audit', '-f', '--json', 'demo'];
  const running = startProgram({ program: 'agentctl', words, socketPath: daemon.socketPath });
  t.after(() => running.child.kill('SIGKILL'));
  const lines = (): number => running.stdout().split('\n').length - 1;
  const printed = async (count: number): Promise<void> => {
    while (lines() < count) await new Promise((resolve) => running.child.stdout?.once('data', resolve));
  };
  const all = auditEntries('demo').length;
  await printed(all);
  await daemon.restart();
  const next = { ...auditEntries('demo')[2], sequence: all + 1 } as ReturnType<typeof auditEntries>[number];
  daemon.operations.more(next);
  await printed(all + 1);
  assert.deepEqual(JSON.parse(running.stdout().trimEnd().split('\n').at(-1) ?? ''), next);
  running.child.kill('SIGINT');
  assert.equal((await running.finished).status, 'SIGINT');
  assert.equal(lines(), all + 1);
});

test('a failure in the middle of an audit is told, and is no end of it', async (t) => {
  const daemon = await populated(t);
  daemon.operations.audit = async () =>
    (async function* () {
      yield* auditEntries('demo').slice(0, 2);
      throw new TypeError('bug');
    })();
  const ended = await control(['audit', 'demo'], daemon);
  assert.equal(ended.status, 1);
  assert.equal(ended.stdout.split('\n').length, 3);
  assert.match(ended.stderr, /^agentctl: /);
});

test('an audit that holds is told in a sentence, one that was changed with the first bad line and status 1', async (t) => {
  const daemon = await populated(t);
  const good = await control(['audit', 'verify', 'demo'], daemon);
  assert.deepEqual(good, {
    status: 0,
    stdout: 'agent demo: All 13 events hold, and the end is where it should be.\n',
    stderr: '',
  });
  const message = 'Line 7 of audit.jsonl (event 7) was changed: its hash does not match.';
  const broken = { file: 'audit.jsonl', number: 7, sequence: 7, message };
  daemon.operations.checks.set('demo', auditCheckView('demo', { isIntact: false, broken, message }));
  const bad = await control(['audit', 'verify', 'demo'], daemon);
  assert.deepEqual(bad, { status: 1, stdout: `agent demo: ${message}\n`, stderr: '' });
  const json = await control(['audit', 'verify', '--json', 'demo'], daemon);
  assert.equal(json.status, 1);
  assertFollows('AuditCheckView', JSON.parse(json.stdout));
});

test('an agent that is named verify has an audit, too', async (t) => {
  const daemon = await populated(t);
  put(daemon, 'verify');
  assert.match((await control(['audit', 'verify'], daemon)).stdout, / begin /);
  const second = await control(['audit', 'demo', 'demo'], daemon);
  assert.deepEqual([second.status, second.stdout], [2, '']);
});

test('hosts are allowed and denied while the agent runs', async (t) => {
  const daemon = await populated(t);
  assert.equal(
    (await control(['allow', 'demo', 'docs.example.com'], daemon)).stdout,
    'agent demo: allow docs.example.com, port 80, 443 (/live/allow/0, until it ends)\n',
  );
  const denied = await control(['deny', '--json', 'demo', '*.example.com'], daemon);
  assertFollows('EgressRule', JSON.parse(denied.stdout));
  assert.deepEqual(
    daemon.operations.calls.map((call) => call.replace(/ by \d+$/, '')),
    ['allow docs.example.com for demo', 'deny *.example.com for demo'],
  );
  assert.equal((await control(['allow', 'demo'], daemon)).status, 2);
});

test('the rules of an agent are written out for other proxies', async (t) => {
  const daemon = await populated(t);
  const squid = await control(['export', 'squid', 'demo'], daemon);
  assert.deepEqual([squid.status, squid.stderr], [0, '']);
  assert.match(
    squid.stdout,
    /^# The upstream proxy of the agent is http:\/\/10\.0\.0\.1:3128 \(from config\.json\)\.\n#/,
  );
  assert.match(squid.stdout, /api\.example\.com/);
  assert.match(squid.stdout, /\nhttp_access deny all\n/);
  const tinyproxy = await control(['export', 'tinyproxy', 'demo'], daemon);
  assert.match(tinyproxy.stdout, /\nFilterDefaultDeny Yes\n/);
  assert.match(tinyproxy.stdout, /\n# \/etc\/tinyproxy\/agent-spawn\.filter:\n[\s\S]*api\\\.example\\\.com/);
  const files = JSON.parse((await control(['export', '--json', 'tinyproxy', 'demo'], daemon)).stdout);
  assert.deepEqual(
    files.map(({ path }: { path: string | null }) => path),
    [null, '/etc/tinyproxy/agent-spawn.filter'],
  );
  const ofCard = await control(['export', 'squid', cardFile(t, { agent_id: 'other' })], daemon);
  assert.match(ofCard.stdout, /^# The upstream proxy of the agent is http:\/\/10\.0\.0\.1:3128 \(from its card\)\.\n/);
  assert.match(ofCard.stdout, /\nhttp_access deny all\n/);
  assert.match(ofCard.stdout, /api\.example\.org/);
  assert.equal((await control(['export', 'nginx', 'demo'], daemon)).status, 2);
  assert.equal((await control(['export', 'squid', '../nothing.json'], daemon)).status, 3);
});

test('an agent that nobody knows has neither audit nor rules', async (t) => {
  const daemon = await populated(t);
  const commands = [['audit'], ['audit', '-f'], ['audit', 'verify'], ['export', 'squid']];
  for (const words of [...commands.map((start) => [...start, 'nobody']), ['allow', 'nobody', 'a.example']]) {
    const ended = await control(words, daemon);
    assert.deepEqual([ended.status, ended.stdout], [1, ''], words.join(' '));
    assert.match(ended.stderr, /^agentctl: No agent "nobody" is known\.\n/);
  }
});

async function populated(t: TestContext): Promise<FakeDaemon> {
  const daemon = await startFakeDaemon(t);
  put(daemon, 'demo');
  return daemon;
}

function put(daemon: FakeDaemon, id: string): void {
  const ended = new Promise<void>(() => undefined);
  daemon.operations.agents.set(id, { view: agentView(id), child: null, stopRequested: false, ended });
}

function control(words: readonly string[], daemon: FakeDaemon): Promise<Finished> {
  return runProgram({ program: 'agentctl', words, socketPath: daemon.socketPath });
}
