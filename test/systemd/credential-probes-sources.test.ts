import assert from 'node:assert/strict';
import { readFileSync, truncateSync } from 'node:fs';
import { after, before, beforeEach, test } from 'node:test';
import { runAgent } from '../helpers/agents.ts';
import { runCommand } from '../helpers/commands.ts';
import { CANARY, CredentialStage, call, echoWithKey, MOUNTS } from '../helpers/credential-stage.ts';
import { daemonPid } from '../helpers/daemon.ts';
import { trustAuthority } from '../helpers/proxy-trust.ts';
import { verdictOf } from '../helpers/puppet.ts';
import { dropIn, removeDropIn } from '../helpers/unit-drop-in.ts';
import { showProperty, unitOf } from '../helpers/units.ts';

// Where keys come from, and what else must not come along.

let stage: CredentialStage;
before(async () => {
  stage = await CredentialStage.open();
});
beforeEach(() => stage.egress.internet.clear());
after(() => stage?.close());

/** What is sent as a key that was read from a file with this content. */
async function sentKey(content: string | Uint8Array): Promise<readonly string[]> {
  await stage.egress.internet.clear();
  const [puppet] = await stage.agent(echoWithKey(stage.writeKey('odd', content)));
  const answer = await puppet.ask(call('GET', `${MOUNTS.echo}/x`));
  assert.equal(verdictOf(answer), '200', answer);
  const [arrival] = await stage.arrivals();
  assert.deepEqual(
    arrival?.headers.filter(([name]) => /evil|canary/i.test(name)),
    [],
  );
  return arrival?.headers.filter(([name]) => name === 'x-api-key').map(([, value]) => value) ?? [];
}

test('a key is one line, with or without its end, and nothing of the line end is sent', async () => {
  for (const content of ['canary-key', 'canary-key\n', 'canary-key\r\n']) {
    assert.deepEqual(await sentKey(content), ['canary-key'], JSON.stringify(content));
  }
});

const BAD: Readonly<Record<string, string | Uint8Array>> = {
  'a second field': 'canary-1\r\nX-Evil: canary-2',
  'a second field and a line end': 'canary-1\r\nX-Evil: canary-2\r\n',
  'a bare line feed': 'canary-1\nX-Evil: canary-2\n',
  'a bare carriage return': 'canary-1\rX-Evil: canary-2',
  'two line ends': 'canary-1\n\n',
  'a NUL at its end': 'canary-1\0',
  'a NUL in it': 'canary-1\0canary-2\n',
  'a tab': 'canary-1\tcanary-2',
  'a vertical tab': 'canary-1\x0bcanary-2',
  'an escape': '\x1b[31mcanary-1',
  'a line separator of Unicode': 'canary-1\u2028X-Evil: canary-2',
  'a next line of Latin-1': Buffer.from('canary-1\x85X-Evil: canary-2', 'latin1'),
  'a byte order mark': '\ufeffcanary-1\n',
  'UTF-16': Buffer.from('\ufeffcanary-1', 'utf16le'),
  'a letter that is not ASCII': 'canary-\u00e9',
  'no UTF-8': Buffer.from([0x63, 0x61, 0x6e, 0x61, 0x72, 0x79, 0xff, 0xfe]),
  nothing: '',
  'a line end alone': '\n',
  blanks: '   \n',
};

for (const [what, content] of Object.entries(BAD)) {
  test(`a key file is refused before anything starts, and no message holds what is in it: ${what}`, async () => {
    const card = stage.egress.bench.card({ command: ['true'], ...echoWithKey(stage.writeKey('bad', content)) });
    const ended = await runAgent(card);
    assert.notEqual(ended.status, 0);
    const said = ended.stdout + ended.stderr;
    assert.match(said, /key/i);
    assert.doesNotMatch(said, CANARY);
    assert.doesNotMatch(said, /evil/i);
    assert.deepEqual(await stage.egress.internet.arrivals(), []);
    const journal = await runCommand(['journalctl', '--no-pager', '--output=cat', '--since=-1min']);
    assert.doesNotMatch(journal.stdout, /canary-\d/);
  });
}

test('a key file without end is not read to its end', async () => {
  const path = stage.writeKey('huge', 'canary-key');
  truncateSync(path, 1024 ** 3);
  const before = performance.now();
  const ended = await runAgent(stage.egress.bench.card({ command: ['true'], ...echoWithKey(path) }));
  assert.notEqual(ended.status, 0);
  assert.ok(performance.now() - before < 10_000);
  assert.match(ended.stderr, /key/i);
});

test('nothing in the environment of the daemon, of the proxy or of the caller is in that of an agent', async () => {
  const { authority } = stage.egress.internet;
  await dropIn('agent-spawnd.service', 'Environment=DAEMON_WORD=canary-daemon ANTHROPIC_API_KEY=canary-daemon-key');
  await trustAuthority(authority, 'Environment=PROXY_WORD=canary-proxy', 'Environment=OPENAI_API_KEY=canary-proxy-key');
  try {
    const proxyPid = await showProperty('agent-egressd.service', 'MainPID');
    for (const pid of [await daemonPid(), proxyPid])
      assert.match(readFileSync(`/proc/${pid}/environ`, 'utf8'), /canary-\w+-key/, 'it is there');
    const look = 'env; cat /proc/[0-9]*/environ; curl -sS http://127.0.0.1:3128/custom/echo.example.com/x';
    const card = stage.egress.bench.card({ command: ['bash', '-c', look], ...echoWithKey(stage.keyFile('echo')) });
    const env = { CALLER_WORD: 'canary-caller', ANTHROPIC_API_KEY: 'canary-caller-key', GEMINI_API_KEY: 'canary-3' };
    const ended = await runAgent(card, { env });
    assert.match(ended.stdout, /GET \/x HTTP\/1\.1/, ended.stderr);
    assert.doesNotMatch(ended.stdout + ended.stderr, /canary-/);
    const shown = await runCommand(['systemctl', 'show', unitOf(card.agent_id)]);
    assert.doesNotMatch(shown.stdout, CANARY);
    assert.equal((await stage.arrivals()).length, 1);
  } finally {
    await removeDropIn('agent-spawnd.service');
    await trustAuthority(authority);
  }
});
