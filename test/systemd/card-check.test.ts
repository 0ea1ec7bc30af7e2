import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { InputProblem } from '../../src/client/api.gen.ts';
import { askApi } from '../helpers/api.ts';
import { runCommand } from '../helpers/commands.ts';
import { refusedCards } from '../helpers/refused-cards.ts';

/** What a host may say beside what is wrong with the card: the agents of the list are not installed here. */
const OF_THE_HOST = ['plan.command-not-found'];

let directory: string;
before(() => {
  directory = mkdtempSync('/var/tmp/as-test-check-');
});
after(() => rmSync(directory, { recursive: true }));

/** What the daemon has against a card. */
async function problemsHere(text: string): Promise<readonly InputProblem[]> {
  const card = { text, format: 'json', source: 'card.json' };
  const { body } = await askApi('POST', '/plans', { card, arguments: [], attach: null });
  const { problems = [] } = JSON.parse(body) as { readonly problems?: readonly InputProblem[] };
  return problems.filter(({ code }) => !OF_THE_HOST.includes(code));
}

/** What the installed program has against it without the daemon, each problem without its place. */
async function problemsOffline(text: string): Promise<readonly InputProblem[]> {
  const path = join(directory, 'card.json');
  writeFileSync(path, text);
  const ended = await runCommand(['agentctl', 'check', '--offline', '--json', path]);
  const [checked] = JSON.parse(ended.stdout) as readonly [{ readonly problems: readonly InputProblem[] }];
  assert.equal(ended.status, checked.problems.length === 0 ? 0 : 3);
  return checked.problems.map((problem) => ({ ...problem, place: undefined }));
}

function plain(problems: readonly InputProblem[]): unknown {
  return JSON.parse(JSON.stringify(problems));
}

for (const { about, keys, problems } of refusedCards('/var/tmp/as-test-check-workspace/one')) {
  test(`both doors refuse a card with ${about} in the same words`, async () => {
    const card = { agent_id: 'both-doors', workspace: '/var/tmp/as-test-check-workspace/one', agent: 'shell', ...keys };
    const [here, offline] = [await problemsHere(JSON.stringify(card)), await problemsOffline(JSON.stringify(card))];
    assert.deepEqual(plain(offline), plain(here));
    assert.deepEqual(
      here.map(({ code, pointer }) => `${code} ${pointer}`),
      problems,
    );
  });
}

const UNREADABLE: readonly (readonly [about: string, text: string])[] = [
  ['no JSON', '{"agent_id": }'],
  ['a key that occurs twice', '{"agent_id": "a", "agent_id": "b", "workspace": "/srv/a"}'],
  ['keys that no schema knows', '{"agent_id": "a", "workspace": "/srv/a", "memory": 1, "labels": {"3": 7}}'],
  ['nothing in it', '{}'],
  [
    'keys that contradict one another',
    '{"agent_id": "a", "workspace": "/srv/a", "proxy_credentials_file": "/etc/key"}',
  ],
];

for (const [about, text] of UNREADABLE) {
  test(`both doors refuse a card with ${about} in the same words`, async () => {
    const here = await problemsHere(text);
    assert.notDeepEqual(here, []);
    assert.deepEqual(plain(await problemsOffline(text)), plain(here));
  });
}

test('both doors take a good card', async () => {
  const text = JSON.stringify({ agent_id: 'good', workspace: '/var/tmp/as-test-check-workspace/one', agent: 'shell' });
  assert.deepEqual([await problemsHere(text), await problemsOffline(text)], [[], []]);
});

test('without a daemon and as nobody a card is checked all the same', async () => {
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'];
  const socket = ['--socket', '/nonexistent/api.sock'];
  const words = ['agentctl', ...socket, 'check', '--offline', '-'];
  const { status, stdout, stderr } = await runCommand([...nobody, ...words], {
    stdin: '{"agent_id": "good", "workspace": "/srv/good"}',
  });
  assert.deepEqual([status, stdout, stderr], [0, 'standard input: valid, for the agent good\n', '']);
});
