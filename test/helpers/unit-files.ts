import { execFile, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Highest exposure of `systemd-analyze security` allowed, in tenths. May be lowered, not raised. */
export const EXPOSURE_MAX: Readonly<Record<string, number>> = {
  'agent-spawnd.service': 18,
  'agent-egressd.service': 13,
  'agent-egress@.service': 4,
  'agent-egress-veth@.service': 9,
  'agent-veth@.service': 41,
};

/** Units of the package that systemd reads on their own. */
export const UNITS_READ: readonly string[] = [
  ...['agent-spawnd.service', 'agent-spawnd.socket', 'agents.slice'],
  ...['agent-egressd.service', 'agent-egressd.socket', 'agent-egress@.service', 'agent-egress@.socket'],
  ...['agent-egress-veth@.service', 'agent-egress-veth@.socket', 'agent-veth@.service'],
];

/**
 * Puts a program that is everywhere in place of those that units below a directory name: what they start need not be
 * installed on the machine that checks them.
 */
export function replacePrograms(directory: string): void {
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    if (!/\.(service|conf)$/.test(name)) continue;
    const path = join(directory, name);
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^(Exec\w+)=[^\n]+$/gm, '$1=/bin/true'));
  }
}

/** What `systemd-analyze verify` has to say about units of a directory and what is beside them; nothing is good. */
export async function verifyUnits(directory: string, names: readonly string[]): Promise<string> {
  const units = names.map((name) => join(directory, name));
  const said = await promisify(execFile)('systemd-analyze', ['verify', '--man=no', ...units]);
  return said.stderr + said.stdout;
}

/** The exposure of a unit by `systemd-analyze security`, drop-ins beside it included; `report` is all of what it said. */
export function exposureOf(path: string): { readonly exposure: number; readonly report: string } {
  const args = ['security', '--offline=yes', '--json=off', '--no-pager', path];
  const { stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
  const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
  return { exposure, report: stdout + stderr };
}
