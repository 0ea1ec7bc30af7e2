import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const MODULE = fileURLToPath(new URL('../../../src/setup/agent-clis.mjs', import.meta.url));
const LOCK = new URL('../../agent-clis/package-lock.json', import.meta.url);

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'agent-clis-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Asks for the agents with a script in the place of npm. */
function provide(npm, env = {}) {
  writeFileSync(join(directory, 'npm'), `#!/bin/sh\n${npm}\n`, { mode: 0o755 });
  const ask = `import(${JSON.stringify(MODULE)}).then((m) => console.log(m.provideAgentClis()))`;
  const { CI: _, ...outer } = process.env;
  return spawnSync(process.execPath, ['-e', ask], {
    encoding: 'utf8',
    env: { ...outer, PATH: `${directory}:${process.env.PATH}`, AGENT_SPAWN_CACHE: directory, ...env },
  });
}

/** As much of the packages as their places. */
const INSTALLS = `case $1 in ci) ;; *) exit 3 ;; esac
arch=$(node -p process.arch)
for file in @anthropic-ai/claude-code-linux-$arch/claude @openai/codex/bin/codex.js \\
  @google/gemini-cli/bundle/gemini.js opencode-linux-$arch/bin/opencode; do
  mkdir -p "node_modules/$(dirname $file)" && : >"node_modules/$file"
done`;

test('agents are installed once, under names that lead into their packages', () => {
  const first = provide(INSTALLS);
  const place = first.stdout.trim();
  assert.equal(first.status, 0, first.stderr);
  assert.equal(readlinkSync(join(place, 'bin/codex')), '../lib/node_modules/@openai/codex/bin/codex.js');
  assert.ok(existsSync(join(place, 'bin/claude')));
  const second = provide('exit 1');
  assert.deepEqual([second.status, second.stdout, second.stderr], [0, first.stdout, '']);
});

test('half of an installation is none, and goes with the next one', () => {
  const broken = provide('case $1 in ci) mkdir -p node_modules; echo gone >&2; exit 1 ;; esac', { CI: 'true' });
  assert.equal(broken.status, 1);
  assert.match(broken.stderr, /could not be fetched:\n.*gone/);
  assert.equal(provide(INSTALLS).status, 0);
});

test('a registry out of reach is no failure but in continuous integration; one that answers leaves no excuse', () => {
  const away = provide('exit 1');
  assert.deepEqual([away.status, away.stdout], [0, 'null\n']);
  assert.match(away.stderr, /out of reach/);
  assert.equal(provide('exit 1', { CI: 'true' }).status, 1);
  assert.equal(provide('case $1 in ci) exit 1 ;; esac').status, 1);
});

test('the lock names exact contents and no registry', () => {
  const { packages } = JSON.parse(readFileSync(LOCK, 'utf8'));
  const modules = Object.entries(packages).filter(([path]) => path !== '');
  assert.deepEqual(
    modules.filter(([, { integrity, resolved }]) => integrity === undefined || resolved !== undefined),
    [],
  );
});
