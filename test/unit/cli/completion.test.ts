import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { COMPLETION_SHELLS, completionScript } from '../../../src/cli/completion.ts';
import { controlProgram } from '../../../src/cli/control-program.ts';
import { assertGolden } from './golden.ts';
import { runProgram } from './program.ts';

const program = controlProgram(null, () => undefined);

for (const shell of COMPLETION_SHELLS) {
  test(`the completion for ${shell} is the recorded one`, async () => {
    const printed = await runProgram({ program: 'agentctl', words: ['completion', shell], socketPath: '/nonexistent' });
    assert.deepEqual([printed.status, printed.stderr], [0, '']);
    assertGolden(`completion.${shell}`, printed.stdout);
  });
}

test('another shell is refused', async () => {
  const printed = await runProgram({ program: 'agentctl', words: ['completion', 'tcsh'], socketPath: '/nonexistent' });
  assert.deepEqual([printed.status, printed.stdout], [2, '']);
});

const CASES: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ['agentctl st', ['start', 'status', 'stop']],
  ['agentctl --j', ['--json']],
  ['agentctl stop ', ['data', 'demo', 'other']],
  ['agentctl stop de', ['demo']],
  ['agentctl --json stop de', ['demo']],
  ['agentctl --socket /stop wait o', ['other']],
  ['agentctl stop --', ['--help', '--json', '--socket']],
  ['agentctl logs --fo', ['--follow']],
  ['agentctl logs -n ', []],
  ['agentctl completion ', ['bash', 'fish', 'zsh']],
  ['agentctl audit d', ['data', 'demo']],
  ['agentctl export ', ['squid', 'tinyproxy']],
  ['agentctl check ', ['a card.json', 'dir']],
  ['agentctl --socket a', ['a card.json']],
  ['agentctl list d', []],
  ['agent-spawn --d', ['--detach', '--dry-run']],
  ['agent-spawn a', ['a card.json']],
  ['agent-spawn --socket d', ['dir']],
];

for (const [line, offered] of CASES) {
  test(`bash completes ${JSON.stringify(line)}`, (t) => {
    assert.deepEqual(complete(t, line), offered);
  });
}

/** What bash offers for the end of a line, in a directory with a file and a directory, and with three agents. */
function complete(t: TestContext, line: string): readonly string[] {
  const directory = mkdtempSync(join(tmpdir(), 'agent-spawn-completion-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const place = join(directory, 'place');
  mkdirSync(join(place, 'dir'), { recursive: true });
  writeFileSync(join(place, 'a card.json'), '');
  const fake = join(directory, 'agentctl');
  writeFileSync(fake, "#!/bin/sh\n[ \"$*\" = 'list --all --quiet' ] && printf 'data\\ndemo\\nother\\n'\n");
  chmodSync(fake, 0o755);
  const words = line.split(' ');
  // compopt works only inside a real completion.
  const script = `compopt() { :; }
${completionScript('bash', program)}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${words.length - 1}
${words[0] === 'agentctl' ? '_agentctl' : '_agent_spawn'}
[ \${#COMPREPLY[@]} = 0 ] || printf '%s\\n' "\${COMPREPLY[@]}"`;
  const environment = { PATH: `${directory}:${process.env['PATH']}`, LC_ALL: 'C' };
  // bash reads ~/.bashrc when its standard input is a socket, which Node's pipes are.
  const ran = spawnSync('bash', ['--norc', '-c', script], { cwd: place, env: environment, encoding: 'utf8' });
  assert.equal(ran.stderr, '');
  return ran.stdout
    .split('\n')
    .filter((word) => word !== '')
    .sort();
}
