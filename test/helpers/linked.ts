import { existsSync, writeFileSync } from 'node:fs';
import { linkedNetworkName, linkedNetworkPath, linkUnitName } from '../../src/base/ids.ts';
import { tableName } from '../../src/plan/veth-texts.ts';
import { succeed } from './agents.ts';
import { inTime, runCommand } from './commands.ts';
import { Puppet } from './puppet.ts';
import { showProperty } from './units.ts';

/** Settings of this host's own network. In a private host they are not the machine's, and read-only at the usual place. */
const SETTINGS = ['/run/private-host/proc/sys/net', '/proc/sys/net'].find((path) => existsSync(path)) ?? '';

/** Makes this host, which must be a private one or a VM, hand on what is for others. */
export function setForwarding(isOn: boolean): void {
  for (const path of ['ipv4/ip_forward', 'ipv6/conf/all/forwarding']) {
    writeFileSync(`${SETTINGS}/${path}`, isOn ? '1' : '0');
  }
}

/** The table of an agent as nftables has it; empty when there is none. */
export async function wallOf(id: string): Promise<string> {
  const { stdout } = await runCommand(['nft', '--stateless', 'list', 'table', 'inet', tableName(id)]);
  return stdout;
}

/** Waits until an agent's table is this one. Returns how long that took, seconds. */
export async function awaitWall(id: string, wall: string): Promise<number> {
  const startedAt = performance.now();
  const back = async (): Promise<void> => {
    while ((await wallOf(id)) !== wall);
  };
  await inTime(back(), `the wall of ${id}`);
  return (performance.now() - startedAt) / 1000;
}

/** Runs nft with these words; it must end well. */
export async function nft(...words: readonly string[]): Promise<string> {
  return (await succeed(runCommand(['nft', ...words]))).stdout;
}

/** Runs a command in the network of an agent, with root's power over it; it must end well. */
export async function runLinked(id: string, argv: readonly string[]): Promise<string> {
  return (await succeed(runCommand(['nsenter', `--net=${linkedNetworkPath(id)}`, '--', ...argv]))).stdout;
}

/** Gives the network of an agent a way to everywhere: what holds then is the wall alone, and not the want of a route. */
export async function openRoutes(id: string): Promise<void> {
  const neighbours = await runLinked(id, ['ip', 'neighbour', 'show', 'dev', 'eth0', 'nud', 'permanent']);
  for (const [, gateway = ''] of neighbours.matchAll(/^(\S+) lladdr /gm)) {
    await runLinked(id, ['ip', 'route', 'add', 'default', 'via', gateway, 'dev', 'eth0', 'onlink']);
  }
}

/** Gives the agent's end of the link another hardware address, until it is restored. */
export async function disguise(id: string): Promise<{ readonly restore: () => Promise<void> }> {
  const own = / link\/ether (\S+) /.exec(await runLinked(id, ['ip', '-o', 'link', 'show', 'dev', 'eth0']))?.[1] ?? '';
  const shown = await runLinked(id, ['ip', 'neighbour', 'show', 'dev', 'eth0', 'nud', 'permanent']);
  const neighbours = [...shown.matchAll(/^(\S+) lladdr (\S+)/gm)];
  // The kernel forgets the neighbours of a link whose address changes.
  const become = async (hardware: string): Promise<void> => {
    await runLinked(id, ['ip', 'link', 'set', 'dev', 'eth0', 'address', hardware]);
    for (const [, neighbour = '', lladdr = ''] of neighbours) {
      const words = ['lladdr', lladdr, 'nud', 'permanent', 'dev', 'eth0'];
      await runLinked(id, ['ip', 'neighbour', 'replace', neighbour, ...words]);
    }
  };
  await become('02:61:ff:ff:ff:ff');
  return { restore: () => become(own) };
}

/** A program in the network of an agent with root's power over it: an agent that has broken out of everything else. */
export function strongPuppet(id: string): Promise<Puppet> {
  return Puppet.outside('nsenter', `--net=${linkedNetworkPath(id)}`, '--');
}

/** The agent's address. */
export async function addressOf(id: string): Promise<string> {
  const shown = await runLinked(id, ['ip', '-4', '-o', 'address', 'show', 'dev', 'eth0']);
  return / inet ([0-9.]+)\//.exec(shown)?.[1] ?? '';
}

/** Sends a signal to the guard of an agent: to all of it, or to its first process. */
export async function signalGuard(id: string, signal: string, who: 'all' | 'main' = 'all'): Promise<void> {
  await succeed(runCommand(['systemctl', 'kill', `--signal=${signal}`, `--kill-who=${who}`, linkUnitName(id)]));
}

/** Takes an agent's wall away for a while, with its guard asleep. */
export async function withoutWall<T>(id: string, body: () => Promise<T>): Promise<T> {
  const wall = await wallOf(id);
  await signalGuard(id, 'STOP');
  try {
    await nft('delete', 'table', 'inet', tableName(id));
    return await body();
  } finally {
    await signalGuard(id, 'CONT');
    await awaitWall(id, wall);
  }
}

/** What is there of an agent's link: its network, its table, its unit. */
export async function linkRemains(id: string): Promise<readonly string[]> {
  const { stdout } = await runCommand(['ip', 'netns', 'list']);
  const isListed = stdout.split('\n').some((line) => line.split(' ')[0] === linkedNetworkName(id));
  const state = await showProperty(linkUnitName(id), 'ActiveState');
  return [
    ...(isListed ? ['network'] : []),
    ...((await wallOf(id)) === '' ? [] : ['table']),
    ...(state === 'inactive' ? [] : [state]),
  ];
}
