import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inCheckout } from './checkout.mjs';
import { isCommand, report, runCommand, SetupError } from './report.mjs';

/** What to install: exact versions with the digests of their contents. */
const MANIFESTS = ['package.json', 'package-lock.json'].map((name) => inCheckout('test/agent-clis', name));
const CACHE = resolve(process.env.AGENT_SPAWN_CACHE || inCheckout('.cache'), 'agent-clis');

/**
 * Where each program lies in its package. Two are scripts that their packages' install script would put in front of
 * these very files.
 */
const PROGRAMS = {
  claude: `@anthropic-ai/claude-code-linux-${process.arch}/claude`,
  codex: '@openai/codex/bin/codex.js',
  gemini: '@google/gemini-cli/bundle/gemini.js',
  opencode: `opencode-linux-${process.arch}/bin/opencode`,
};

/** A package of every installation, to ask the registry for. */
const KNOWN = '@openai/codex';

/**
 * Where the agents are when they are installed; a directory that another version has never had.
 * @returns {string} path of a directory with `bin` and `lib`, as `npm install -g` makes them
 */
export function agentClisDirectory() {
  const hash = createHash('sha256').update(process.arch);
  for (const path of MANIFESTS) hash.update(readFileSync(path));
  return join(CACHE, hash.digest('hex').slice(0, 16));
}

/**
 * The four agents that the tests run, from the npm registry; kept in the cache of the checkout. About 1 GiB.
 * @param {NodeJS.ProcessEnv} [env] of npm; with `CI` in it a registry out of reach is a failure
 * @returns {string | null} their directory, or null when the registry is out of reach
 * @throws {SetupError} when they cannot be had for any other reason
 */
export function provideAgentClis(env = process.env) {
  const directory = agentClisDirectory();
  if (existsSync(directory)) return directory;
  mkdirSync(CACHE, { recursive: true });
  report('fetching agents for the tests: 1 GiB on disk');
  const lock = ['/usr/bin/flock', '--no-fork', join(CACHE, 'lock')];
  const install = [process.execPath, fileURLToPath(import.meta.url), '--install'];
  const [command = '', ...args] = existsSync(lock[0] ?? '') ? [...lock, ...install] : install;
  const ended = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8', env });
  if (ended.status === 0) return directory;
  const reason = (ended.error?.message ?? ended.stderr).trimEnd();
  const isReachable = isRegistryReachable(env);
  if (isReachable || env.CI) throw new SetupError(`the agents for the tests could not be fetched:\n${reason}`);
  report('the registry of the agents is out of reach; tests that need them are skipped');
  return null;
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {boolean} whether the registry answers now, whatever npm has in its cache
 */
export function isRegistryReachable(env) {
  const ask = ['view', '--prefer-online', '--fetch-retries=0', `${KNOWN}`, 'name'];
  return spawnSync('npm', ask, { stdio: 'ignore', env }).status === 0;
}

/**
 * Installs them beside what is there, puts them in their place when they are complete, and removes everything else.
 * Nobody else does so at the same time.
 * @returns {void}
 * @throws {SetupError} with what npm printed
 */
function install() {
  const directory = agentClisDirectory();
  if (existsSync(directory)) return;
  for (const name of readdirSync(CACHE)) if (name !== 'lock') rmSync(join(CACHE, name), { recursive: true });
  const scratch = join(CACHE, 'scratch');
  const library = join(scratch, 'lib');
  mkdirSync(library, { recursive: true });
  for (const path of MANIFESTS) copyFileSync(path, join(library, path.slice(path.lastIndexOf('/') + 1)));
  const options = ['--install-strategy=nested', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const ended = spawnSync('npm', ['ci', ...options], { cwd: library, stdio: ['ignore', 'ignore', 'pipe'] });
  if (ended.status !== 0) throw new SetupError(ended.error?.message ?? String(ended.stderr));
  mkdirSync(join(scratch, 'bin'));
  for (const [name, program] of Object.entries(PROGRAMS)) {
    const target = join('lib/node_modules', program);
    if (!existsSync(join(scratch, target))) throw new SetupError(`the package of ${name} has no ${program}`);
    symlinkSync(join('..', target), join(scratch, 'bin', name));
  }
  renameSync(scratch, directory);
}

if (isCommand(import.meta.url)) {
  await runCommand(async () => {
    if (process.argv.includes('--install')) install();
    else process.stdout.write(`${agentClisDirectory()}\n`);
    return 0;
  });
}
