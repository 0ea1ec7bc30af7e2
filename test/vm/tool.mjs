import { spawnSync } from 'node:child_process';
import { SetupError } from '../../src/setup/report.mjs';

const TAIL_LINES = 15;
const OUTPUT_BYTES_MAX = 64 << 20;

/**
 * Runs a tool of the machine to its end, in the C locale, with the directories of root's commands on the search path.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} [directory] to run it in
 * @returns {string} its standard output
 * @throws {SetupError} with the end of what it printed when it fails
 */
export function runTool(command, args, directory) {
  const ended = start(command, args, directory);
  if (ended.status !== 0) throw failure(command, ended.error?.message ?? ended.stderr);
  return ended.stdout;
}

/**
 * Like `runTool` for tools that report progress on standard output: all they print is kept for the case that they fail.
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {void}
 * @throws {SetupError} with the end of what it printed when it fails
 */
export function runToolQuietly(command, args) {
  const ended = start('/bin/sh', ['-c', 'exec "$@" 2>&1', 'sh', command, ...args]);
  if (ended.status !== 0) throw failure(command, ended.error?.message ?? ended.stdout);
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} [directory]
 * @returns {import('node:child_process').SpawnSyncReturns<string>}
 */
function start(command, args, directory) {
  const env = {
    ...process.env,
    LC_ALL: 'C',
    DEBIAN_FRONTEND: 'noninteractive',
    PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin`,
  };
  return spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env,
    cwd: directory,
    maxBuffer: OUTPUT_BYTES_MAX,
  });
}

/**
 * @param {string} command
 * @param {string} printed
 * @returns {SetupError}
 */
function failure(command, printed) {
  const tail = printed.trimEnd().split('\n').slice(-TAIL_LINES);
  return new SetupError([`${command} failed:`, ...tail.map((line) => `  ${line}`)].join('\n'));
}
