import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { provideAgentClis } from './agent-clis.mjs';
import { inCheckout } from './checkout.mjs';
import { runInPlace } from './child.mjs';
import { runInPrivateHost } from './host.mjs';
import { OTHER_NODES, provideNode } from './node-versions.mjs';
import { prepare } from './prepare.mjs';
import { isCommand, runCommand, SetupError } from './report.mjs';
import { listFiles } from './stamp.mjs';

/**
 * A group of tests by what they need: `place` says where they run.
 * @typedef {{ name: string, place: 'machine' | 'private-host' | 'vm', concurrency: number, timeoutS: number }} Tier
 */

/** In the order they run: seconds first, minutes last. @type {readonly Tier[]} */
const TIERS = [
  { name: 'style', place: 'machine', concurrency: availableParallelism(), timeoutS: 120 },
  { name: 'unit', place: 'machine', concurrency: availableParallelism(), timeoutS: 120 },
  { name: 'golden', place: 'machine', concurrency: availableParallelism(), timeoutS: 120 },
  { name: 'fault', place: 'machine', concurrency: availableParallelism(), timeoutS: 300 },
  { name: 'nix', place: 'machine', concurrency: availableParallelism(), timeoutS: 300 },
  { name: 'private-host', place: 'machine', concurrency: 1, timeoutS: 300 },
  { name: 'systemd', place: 'private-host', concurrency: 1, timeoutS: 600 },
  { name: 'vm', place: 'vm', concurrency: 1, timeoutS: 900 },
];

const VM_RUNNER = 'test/vm/run.mjs';
const TSC = 'node_modules/typescript/bin/tsc';

/** Not the root: the linter would take its configuration below it for a second root. */
const LINTED = ['src', 'test'];

/** May be asked for like a tier; part of the run when nothing is. */
const LINT = 'lint';

/** The same for the tests on other versions of Node. */
const NODES = 'nodes';

/** Tiers that need nothing but Node, and so can be run by another one. */
const NODE_TIERS = ['unit', 'golden', 'fault'];

/** The tests of the test runner start runners of their own, which those of another Node do not outlive everywhere. */
const OWN_NODE_ONLY = ['test/unit/setup/run-tests.test.mjs'];

/**
 * How one tier ended; `counts` is undefined when it was no run of test files.
 * @typedef {{ name: string, status: number, seconds: number, counts: import('./run-tests.mjs').Counts | undefined }} Outcome
 */

/**
 * @param {readonly string[]} names none means all
 * @returns {Tier[]}
 * @throws {SetupError} for a name that is no tier
 */
export function selectTiers(names) {
  const known = TIERS.map((tier) => tier.name);
  const unknown = names.filter((name) => ![LINT, NODES, ...known].includes(name));
  if (unknown.length > 0)
    throw new SetupError(`no such tests: ${unknown.join(', ')}; there are ${[LINT, NODES, ...known].join(', ')}`);
  return TIERS.filter((tier) => names.length === 0 || names.includes(tier.name));
}

/**
 * The files of a tier that can be run, named by their sources: what an older build left behind is not run.
 * @param {readonly string[]} sources relative to the checkout
 * @returns {string[]} compiled ones below build/, plain ones where they are
 */
export function runnableFiles(sources) {
  return sources.flatMap((path) => {
    if (path.endsWith('.test.ts')) return [`build/${path.slice(0, -'.ts'.length)}.js`];
    return path.endsWith('.test.mjs') ? [path] : [];
  });
}

/**
 * @param {string} title
 * @param {() => Promise<Omit<Outcome, 'name' | 'seconds'>>} body
 * @returns {Promise<Outcome>}
 */
async function section(title, body) {
  process.stdout.write(`\n== ${title}\n`);
  const startedAt = performance.now();
  const ended = await body();
  return { name: title, ...ended, seconds: (performance.now() - startedAt) / 1000 };
}

/**
 * @param {string} title
 * @param {readonly string[]} args of Node
 * @returns {Promise<Outcome>}
 */
function check(title, args) {
  return section(title, async () => {
    const ended = spawnSync(process.execPath, args, { cwd: inCheckout(), stdio: 'inherit' });
    return { status: ended.status ?? 1, counts: undefined };
  });
}

/**
 * @param {Tier} tier
 * @returns {Promise<Outcome>}
 */
function runTier(tier) {
  return section(tier.name, async () => {
    const options = { cwd: inCheckout(), env: { ...process.env, AGENT_SPAWN_HOST: tier.place } };
    if (tier.place === 'vm') {
      if (!existsSync(inCheckout(VM_RUNNER))) return { status: 0, counts: undefined };
      return { status: await runInPlace([process.execPath, VM_RUNNER], options), counts: undefined };
    }
    const files = runnableFiles(listFiles(`test/${tier.name}`));
    if (files.length === 0) return { status: 0, counts: undefined };
    const countsPath = inCheckout(`build/counts-${tier.name}.json`);
    rmSync(countsPath, { force: true });
    const runner = [process.execPath, '--enable-source-maps', inCheckout('src/setup/run-tests.mjs')];
    const limits = ['--concurrency', String(tier.concurrency), '--timeout', String(tier.timeoutS)];
    const command = [...runner, ...limits, '--counts', countsPath, ...files];
    const isPrivate = tier.place === 'private-host';
    if (isPrivate) provideForAgents();
    const status = await (isPrivate ? runInPrivateHost(command, options) : runInPlace(command, options));
    const counts = existsSync(countsPath) ? JSON.parse(readFileSync(countsPath, 'utf8')) : undefined;
    return { status: counts === undefined && status === 0 ? 1 : status, counts };
  });
}

/**
 * What agents in a private host run and it could not fetch: a current Node, and the agents themselves.
 * @returns {void}
 */
function provideForAgents() {
  provideNode(OTHER_NODES.at(-1) ?? '');
  provideAgentClis();
}

/**
 * @param {string} version of Node
 * @returns {Promise<Outcome>}
 */
function runOnNode(version) {
  return section(`node ${version}`, async () => {
    const sources = NODE_TIERS.flatMap((name) => listFiles(`test/${name}`));
    const files = runnableFiles(sources.filter((path) => !OWN_NODE_ONLY.includes(path)));
    const runner = [provideNode(version), '--enable-source-maps', inCheckout('src/setup/run-tests.mjs')];
    const countsPath = inCheckout(`build/counts-node-${version}.json`);
    rmSync(countsPath, { force: true });
    const limits = ['--concurrency', String(availableParallelism()), '--timeout', '300', '--counts', countsPath];
    const status = await runInPlace([...runner, ...limits, ...files], { cwd: inCheckout(), env: process.env });
    const counts = existsSync(countsPath) ? JSON.parse(readFileSync(countsPath, 'utf8')) : undefined;
    return { status: counts === undefined && status === 0 ? 1 : status, counts };
  });
}

/**
 * @param {readonly Outcome[]} outcomes
 * @returns {string} a table and one line that says it all
 */
export function renderSummary(outcomes) {
  const lines = outcomes.map(({ name, status, seconds, counts }) => {
    const told =
      counts === undefined ? '' : `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
    return `${status === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(14)} ${seconds.toFixed(1).padStart(6)} s  ${told}`.trimEnd();
  });
  const failed = outcomes.filter(({ status }) => status !== 0).map(({ name }) => name);
  const seconds = outcomes.reduce((sum, outcome) => sum + outcome.seconds, 0).toFixed(0);
  const verdict = failed.length === 0 ? 'everything passed' : `failed: ${failed.join(', ')}`;
  return [...lines, `npm test: ${verdict} (${seconds} s)`].join('\n');
}

/** @returns {Promise<number>} the exit status */
async function main() {
  const names = process.argv.slice(2);
  const tiers = selectTiers(names);
  prepare({ forTests: true });
  // Compiled tests are what the tiers run, so this comes first whatever was asked for.
  const outcomes = [await check('types', [TSC, '-p', '.'])];
  if (names.length === 0 || names.includes(LINT)) {
    outcomes.push(await check('set-up types', [TSC, '-p', 'src/setup']));
    outcomes.push(
      await check(LINT, ['node_modules/@biomejs/biome/bin/biome', 'check', '--config-path=.ci', ...LINTED]),
    );
  }
  for (const tier of tiers) outcomes.push(await runTier(tier));
  if (names.length === 0 || names.includes(NODES)) {
    for (const version of OTHER_NODES) outcomes.push(await runOnNode(version));
  }
  process.stdout.write(`\n${renderSummary(outcomes)}\n`);
  return outcomes.every(({ status }) => status === 0) ? 0 : 1;
}

if (isCommand(import.meta.url)) await runCommand(main);
