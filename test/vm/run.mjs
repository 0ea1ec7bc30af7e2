import { existsSync, readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { inCheckout } from '../../src/setup/checkout.mjs';
import { isCommand, report, runCommand, SetupError } from '../../src/setup/report.mjs';
import { makeWorkDirectory } from './cache.mjs';
import { ensureImage } from './image.mjs';
import { startMachine } from './machine.mjs';
import { makePayload } from './payload.mjs';

const USAGE = `Usage: node test/vm/run.mjs [--deadline SECONDS] [-- CMD…]
Boots a Debian 13 VM with the built checkout installed in it and runs CMD there, as root, in the checkout directory.
Without CMD: the tests listed in test/vm/core.txt. Standard output and the exit status are those of CMD.
  --deadline SECONDS   the VM is killed then (default 1200)`;

const CORE = 'test/vm/core.txt';
const DEADLINE_SECONDS = 1200;

/** As timeout(1) has it. */
const STATUS_DEADLINE = 124;

/** @type {readonly (keyof typeof constants.signals)[]} */
const ENDING_SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'];

/**
 * @returns {string[]} the command that runs the core of the suite
 */
function coreCommand() {
  const lines = readFileSync(inCheckout(CORE), 'utf8').split('\n');
  const sources = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
  const tests = sources.map((source) => `build/${source.replace(/\.ts$/, '.js')}`);
  const unbuilt = tests.filter((test) => !existsSync(inCheckout(test)));
  if (unbuilt.length > 0) throw new SetupError(`not built: ${unbuilt.join(', ')}`);
  return ['node', '--test', '--test-reporter=spec', ...tests];
}

/**
 * Runs one command in a VM of its own.
 * @param {readonly string[]} command
 * @param {number} deadlineSeconds
 * @returns {Promise<number>} the command's exit status, 128+n when a signal ended this run, 124 at the deadline
 * @throws {SetupError} when the VM ended without running the command to its end
 */
async function runInMachine(command, deadlineSeconds) {
  const image = ensureImage();
  const work = makeWorkDirectory();
  try {
    const payload = makePayload(work, command);
    return await supervise({ image, payload, work }, deadlineSeconds);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * @param {Parameters<typeof startMachine>[0]} files
 * @param {number} deadlineSeconds
 * @returns {Promise<number>}
 */
async function supervise(files, deadlineSeconds) {
  /** @type {number | undefined} */
  let status;
  const started = performance.now();
  const machine = startMachine(files, (line) => {
    report(`VM ${line} after ${((performance.now() - started) / 1000).toFixed(1)} s`);
    const ended = /^status (\d+)$/.exec(line);
    if (ended === null) return;
    status ??= Number(ended[1]);
    // Everything the command wrote is on our side of the ports already: there is no need to wait for a shutdown.
    machine.kill();
  });
  /** @param {number} reason */
  const end = (reason) => {
    status ??= reason;
    machine.kill();
  };
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    end(STATUS_DEADLINE);
  }, deadlineSeconds * 1000);
  for (const signal of ENDING_SIGNALS) process.once(signal, () => end(128 + constants.signals[signal]));
  await machine.ended;
  clearTimeout(deadline);
  if (status === undefined || isLate) {
    for (const line of machine.consoleTail()) report(`VM console: ${line}`);
  }
  if (isLate) report(`the VM was killed at its deadline of ${deadlineSeconds} s`);
  if (status === undefined) throw new SetupError('the VM ended before the command did');
  return status;
}

if (isCommand(import.meta.url)) {
  await runCommand(async () => {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        deadline: { type: 'string', default: String(DEADLINE_SECONDS) },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(`${USAGE}\n`);
      return 0;
    }
    const deadline = Number(values.deadline);
    if (!(deadline > 0)) throw new SetupError(`--deadline must be a number of seconds, not ${values.deadline}`);
    return runInMachine(positionals.length > 0 ? positionals : coreCommand(), deadline);
  });
}
