import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Daemon } from './api-start.ts';
import type { HandPlan } from './by-hand.ts';
import { cardText } from './card.ts';
import { allContestants, HOLDER, nextContestants, type Stage } from './contestants.ts';
import { measureEgress, type RouteResult } from './egress.ts';
import { judgeEgress } from './egress-goals.ts';
import { type GatewayResult, measureGateway } from './gateway.ts';
import { judgeGateway } from './gateway-goals.ts';
import { judge } from './goals.ts';
import { type Level, measureIdle } from './idle.ts';
import { residentBytes } from './memory.ts';
import { readProgram } from './program.ts';
import { type Report, renderReport } from './report.ts';
import type { Rival } from './rival.ts';
import { compete } from './round-robin.ts';
import { describeSurroundings, load } from './surroundings.ts';

/** What `run.mjs` asks for. */
interface Order {
  /** Starts of each contestant; 0 for none. */
  readonly rounds: number;
  /** Rounds of the comparison of proxies; 0 for none. */
  readonly egressRounds: number;
  /** Rounds of the gateway beside the API itself; 0 for none. */
  readonly gatewayRounds: number;
  readonly idleRounds: number;
  /** Numbers of idle agents; none for no such measurement. */
  readonly levels: readonly number[];
  readonly rivals: readonly Rival[];
  /** Absolute path, or null. */
  readonly jsonFile: string | null;
}

/** In the memory of the private host, so that no disk is measured and nothing is left. */
const WORKSPACES = '/var/lib/agent-spawn-bench';

function progress(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}

async function main(): Promise<void> {
  const order = JSON.parse(process.argv[2] ?? '') as Order;
  const surroundings = await describeSurroundings();
  const stage = await setStage(order);
  const egress = order.egressRounds === 0 ? [] : await compareProxies(order.egressRounds);
  const gateway = order.gatewayRounds === 0 ? [] : await weighGateway(order.gatewayRounds);
  const results = await compete(order.rounds === 0 ? [] : allContestants(stage), order.rounds, (round) => {
    if (round % 10 === 0 && round > 0) progress(`${round} of ${order.rounds} rounds`);
  });
  const levels = await measureIdle({
    daemon: stage.daemon,
    daemonPid: stage.daemonPid,
    levels: order.levels,
    alreadyIdle: 1,
    rounds: order.idleRounds,
    contestants: nextContestants(stage),
    progress,
  });
  const daemonBytes = highestDaemonBytes(stage.daemonPid, levels);
  const report: Report = {
    surroundings: { ...surroundings, loadAfter: load() },
    rounds: order.rounds,
    results,
    levels,
    daemonBytes,
    egress,
    egressRounds: order.egressRounds,
    gateway,
    gatewayRounds: order.gatewayRounds,
    goals: [
      ...(order.rounds === 0 ? [] : judge({ results, levels, daemonBytes })),
      ...judgeEgress(egress),
      ...judgeGateway(gateway),
    ],
  };
  if (order.jsonFile !== null) writeFileSync(order.jsonFile, `${JSON.stringify(report, null, 2)}\n`);
  process.stdout.write(renderReport(report));
}

async function compareProxies(rounds: number): Promise<readonly RouteResult[]> {
  return await measureEgress({ rounds, directory: openDirectory(), progress });
}

async function weighGateway(rounds: number): Promise<readonly GatewayResult[]> {
  return await measureGateway({ rounds, directory: openDirectory(), holder: HOLDER, progress });
}

/** A new directory that proxies pass through as users of their own. */
function openDirectory(): string {
  const directory = mkdtempSync('/run/agent-spawn-bench-egress-');
  chmodSync(directory, 0o755);
  return directory;
}

/** Prepares what the contestants need, none of which is measured. */
async function setStage(order: Order): Promise<Stage> {
  mkdirSync(WORKSPACES, { recursive: true });
  const directory = mkdtempSync('/run/agent-spawn-bench-');
  const daemon = new Daemon(WORKSPACES);
  await daemon.startIdle(HOLDER);
  const card = join(directory, 'by-hand.json');
  writeFileSync(card, cardText({ id: HOLDER, command: ['true'] }, WORKSPACES));
  const plan = JSON.parse(await readProgram(['agent-spawn', '--dry-run', '--json', card])) as HandPlan;
  return { daemon, daemonPid: await daemonPid(), plan, workspaces: WORKSPACES, directory, rivals: order.rivals };
}

async function daemonPid(): Promise<number> {
  return Number(await readProgram(['systemctl', 'show', '--property=MainPID', '--value', 'agent-spawnd.service']));
}

function highestDaemonBytes(pid: number, levels: readonly Level[]): number {
  return Math.max(residentBytes(pid), ...levels.map((level) => level.daemonBytes));
}

await main();
