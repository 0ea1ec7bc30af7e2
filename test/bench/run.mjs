import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { callerDirectory, inCheckout } from '../../src/setup/checkout.mjs';
import { runInPrivateHost } from '../../src/setup/host.mjs';
import { prepare } from '../../src/setup/prepare.mjs';
import { isCommand, report, runCommand, SetupError } from '../../src/setup/report.mjs';
import { findRivals, installProxies } from './rivals.mjs';

const USAGE = `Usage: npm run -s bench -- [options]
Measures on a private host how long agent-spawn takes to start an agent, beside the same sandbox by hand, srt and podman,
what idle agents cost, how agent-egressd does beside tinyproxy and squid, and what its gateway adds to a call of a model.
All figures of a run are made in turn, so their ratios hold on a busy machine too.

  --rounds N          starts of each contestant; 0 for none (default 40)
  --egress-rounds N   rounds of the comparison of proxies; 0 for none (default 7)
  --gateway-rounds N  rounds of the gateway beside the API itself; 0 for none (default 7)
  --idle N,N,...      numbers of idle agents to measure beside, rising; "" for none (default 1,100,1000)
  --idle-rounds N     starts beside each number of idle agents (default 20)
  --json FILE         writes everything that was measured to FILE too
  --no-install        installs no rival (socat, ripgrep, srt from npm, podman, busybox, tinyproxy, squid); missing ones are listed as such
  -h, --help          print this`;

const MEASURE = 'build/test/bench/measure.js';
const TSC = 'node_modules/typescript/bin/tsc';

/**
 * @param {string | undefined} text
 * @param {string} option
 * @returns {number}
 */
function positive(text, option) {
  if (text === undefined || !/^[1-9]\d{0,4}$/.test(text))
    throw new SetupError(`${option} needs a number from 1 to 99999`);
  return Number(text);
}

/**
 * @param {string | undefined} text
 * @param {string} option
 * @returns {number}
 */
function zeroOrMore(text, option) {
  return text === '0' ? 0 : positive(text, option);
}

/**
 * @param {string} text
 * @returns {number[]}
 */
function levels(text) {
  const numbers = text === '' ? [] : text.split(',').map((word) => positive(word, '--idle'));
  if (numbers.some((number, index) => number <= (numbers[index - 1] ?? 0)))
    throw new SetupError('--idle needs rising numbers');
  return numbers;
}

/** @returns {void} */
function compile() {
  const ended = spawnSync(process.execPath, [TSC, '-p', '.'], { cwd: inCheckout(), stdio: ['ignore', 2, 2] });
  if (ended.status !== 0) throw new SetupError('the benchmark does not compile');
}

/** @returns {Promise<number>} the exit status */
async function main() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '40' },
      'egress-rounds': { type: 'string', default: '7' },
      'gateway-rounds': { type: 'string', default: '7' },
      idle: { type: 'string', default: '1,100,1000' },
      'idle-rounds': { type: 'string', default: '20' },
      json: { type: 'string' },
      'no-install': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const order = {
    rounds: zeroOrMore(values.rounds, '--rounds'),
    egressRounds: zeroOrMore(values['egress-rounds'], '--egress-rounds'),
    gatewayRounds: zeroOrMore(values['gateway-rounds'], '--gateway-rounds'),
    idleRounds: positive(values['idle-rounds'], '--idle-rounds'),
    levels: levels(values.idle),
    jsonFile: values.json === undefined ? null : resolve(callerDirectory(), values.json),
  };
  prepare({ forTests: false });
  compile();
  const rivals = order.rounds === 0 ? [] : findRivals(!values['no-install']);
  if (order.egressRounds > 0 && !values['no-install']) installProxies();
  report(
    `${order.rounds} rounds of starts, ${order.egressRounds} of proxies, ${order.gatewayRounds} of the gateway, some minutes`,
  );
  const measure = [process.execPath, '--enable-source-maps', inCheckout(MEASURE)];
  return runInPrivateHost([...measure, JSON.stringify({ ...order, rivals })], { cwd: inCheckout() });
}

if (isCommand(import.meta.url)) await runCommand(main);
