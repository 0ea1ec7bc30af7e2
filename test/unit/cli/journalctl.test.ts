import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { showJournal } from '../../../src/cli/journalctl.ts';
import { CHECKOUT } from '../../helpers/checkout.ts';

const HOSTILE = '\u001b]52;c;ZXZpbA==\u0007 \u001b[31mred\u001b[0m ü\n';

test('journalctl is asked for the unit of the agent and its bytes are passed on as they are', async (t) => {
  const shown = await show(t, { script: `echo "$@"; printf '%s' "$TEXT"`, options: { lines: null } });
  assert.equal(shown.text, `--no-pager --unit sandboxed-agent@demo.service --output cat\n${HOSTILE}`);
  assert.equal(shown.status, 0);
});

test('following and counting are passed on', async (t) => {
  const words = async (options: object): Promise<string> =>
    (await show(t, { script: 'echo "$@"', options })).text.trim();
  const unit = '--no-pager --unit sandboxed-agent@demo.service --output';
  assert.equal(await words({ lines: 5, follow: true }), `${unit} cat --follow --lines 5`);
  assert.equal(await words({ lines: null, follow: true }), `${unit} cat --follow --lines all`);
  assert.equal(await words({ lines: 0, json: true }), `${unit} json --lines 0`);
});

test('on a terminal what an agent printed is shown, not obeyed, also when it arrives in pieces', async (t) => {
  const script = `printf '\\033]52;c;'; sleep 0.1; printf 'ZXZpbA==\\007 \\033[3'; sleep 0.1; printf '1mred\\033[0m \\303'; sleep 0.1; printf '\\274\\n'`;
  const shown = await show(t, { script, options: { lines: null }, isTerminal: true });
  assert.equal(shown.text, '\\x1b]52;c;ZXZpbA==\\x07 red ü\r\n');
});

test('the status of journalctl is that of the command', async (t) => {
  assert.equal((await show(t, { script: 'exit 3', options: { lines: null } })).status, 3);
  assert.equal((await show(t, { script: 'kill -TERM $$', options: { lines: null } })).status, 143);
});

test('where there is no journalctl, the message says so', async () => {
  await assert.rejects(showJournal('demo', { lines: null, tools: ['/nonexistent'], usual: [] }), {
    code: 'cli.no-journal',
    message: 'journalctl is not at /nonexistent/journalctl.',
  });
});

interface Show {
  /** What stands for journalctl. */
  readonly script: string;
  readonly options: object;
  readonly isTerminal?: boolean;
}

/** Runs `showJournal` in a process of its own, whose standard output it writes to. */
async function show(t: TestContext, { script, options, isTerminal }: Show): Promise<{ status: unknown; text: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'agent-spawn-journal-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const journalctl = join(directory, 'journalctl');
  writeFileSync(journalctl, `#!/bin/bash\n${script}\n`);
  chmodSync(journalctl, 0o755);
  const main = join(directory, 'main.mjs');
  const module = pathToFileURL(join(CHECKOUT, 'build/src/cli/journalctl.js')).href;
  const call = `showJournal('demo', ${JSON.stringify({ ...options, tools: ['/nonexistent', directory] })})`;
  writeFileSync(main, `import { showJournal } from '${module}';\nprocess.exitCode = await ${call};\n`);
  const command = [process.execPath, main];
  const [program = '', ...words] = isTerminal === true ? ['script', '-qec', command.join(' '), '/dev/null'] : command;
  const child = spawn(program, words, {
    env: { PATH: process.env['PATH'], TEXT: HOSTILE },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  const [status] = await once(child, 'close');
  return { status, text };
}
