import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CHECKOUT } from '../helpers/checkout.ts';
import { withdrawCard } from '../helpers/declared-cards.ts';

/** Commands that other tests run as they stand here, since they cannot run inside a private host. */
const RUN_ELSEWHERE: Readonly<Record<string, string>> = {
  'npm start': 'test/private-host/start.test.ts',
  'npm run -s install-system': 'test/private-host/start.test.ts',
  'npm test': '.ci/run',
  'npm test -- unit': '.ci/run',
  'npm run bench': 'test/private-host/start.test.ts',
  'agent-spawn claude-code.json -- "make the failing test pass"': 'test/systemd/agent-clis.test.ts',
  'agentctl inspect claude': 'test/systemd/agent-clis.test.ts',
  'agentctl rm claude': 'test/systemd/agent-clis.test.ts',
};

const README = readFileSync(join(CHECKOUT, 'README.md'), 'utf8');
const directory = mkdtempSync(join(tmpdir(), 'readme-'));
after(async () => {
  rmSync(directory, { recursive: true, force: true });
  // The card that the readme puts in place.
  await withdrawCard('hello');
});

/** Blocks of one language, each with the text before it. */
function blocks(language: string): readonly { readonly before: string; readonly body: string }[] {
  const pattern = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g');
  return [...README.matchAll(pattern)].map((match) => ({
    before: README.slice(0, match.index).trimEnd().split('\n').at(-1) ?? '',
    body: match[1] ?? '',
  }));
}

test('the cards of the readme are named and written as the commands expect them', () => {
  const cards = blocks('json');
  assert.equal(cards.length, 3);
  for (const { before, body } of cards) {
    const name = /^`([\w.-]+)`:$/.exec(before)?.[1];
    assert.ok(name, `a card without a name: ${before}`);
    writeFileSync(join(directory, name), body);
  }
});

test('the card of an agent with a key is the one that is run with the real agent', () => {
  const example = JSON.parse(readFileSync(join(CHECKOUT, 'schema/examples/claude-code.json'), 'utf8')) as object;
  const card = JSON.parse(readFileSync(join(directory, 'claude-code.json'), 'utf8')) as object;
  assert.deepEqual({ $schema: '../agent-card.schema.json', ...card }, example);
});

const commands = blocks('sh').flatMap(({ body }) =>
  body
    .split('\n')
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => line !== ''),
);

test('the readme has commands, and those that run elsewhere are named by a test that exists', () => {
  assert.ok(commands.length >= 15, String(commands.length));
  for (const [command, place] of Object.entries(RUN_ELSEWHERE)) {
    assert.ok(commands.includes(command), `${command} is not in the readme any more`);
    assert.ok(existsSync(join(CHECKOUT, place)), place);
  }
});

for (const command of commands.filter((line) => !Object.hasOwn(RUN_ELSEWHERE, line))) {
  test(`the readme's command works: ${command}`, () => {
    const run = spawnSync('bash', ['-c', command], { cwd: directory, encoding: 'utf8', timeout: 60_000 });
    assert.equal(run.status, expectedStatus(command), `${run.stdout}${run.stderr}`);
  });
}

/** The agent of the readme ends with the failure of its last command, which is what it is there to show. */
function expectedStatus(command: string): number {
  return command === 'agent-spawn hello.json' ? 1 : 0;
}
