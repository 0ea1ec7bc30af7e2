import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CgroupLayout } from './cgroup-layout.ts';
import { createCgroups, probeCgroups } from './cgroups.ts';
import { findCheckout } from './checkout.ts';
import { type Init, startInit, waitUntilUp } from './init.ts';
import { installedTree } from './installation.ts';
import { startJanitor } from './janitor.ts';
import { keptDirectories } from './kept.ts';
import { findPrograms } from './needs.ts';
import { PrivateHost } from './private-host.ts';
import { createScratch, type Scratch, sweepScratch } from './scratch.ts';
import { STOCK_UNITS } from './stock-units.ts';

/** How to boot. */
export interface BootOptions {
  /** Without agent-spawn installed in it. */
  readonly isBare?: boolean;
  /** Directory that is the machine's own inside, and where programs start; default: this process's. */
  readonly cwd?: string;
  /** The checkout to install; default: the one that the running program lies in. */
  readonly checkout?: string;
  /** Ends the boot. */
  readonly signal?: AbortSignal;
  /** Told the layout of the machine's cgroups before anything is made. */
  readonly onLayout?: (layout: CgroupLayout) => void;
}

/**
 * Boots a systemd of its own in new namespaces and returns when its basic units are up. Fails with `private-host.unfit`
 * or `private-host.boot-failed`; nothing is left behind then, nor when this process is killed at any time.
 */
export async function bootPrivateHost(options: BootOptions = {}): Promise<PrivateHost> {
  const programs = findPrograms(process.env['PATH'] ?? '');
  const checkout = options.checkout ?? findCheckout(process.argv[1] ?? '.');
  const source = join(checkout, 'src/private-host');
  const cgroups = probeCgroups();
  options.onLayout?.(cgroups.layout);
  const cwd = options.cwd ?? process.cwd();
  const trees = [join(source, 'root'), ...(options.isBare === true ? [] : [installedTree(checkout)])];
  const janitorScript = join(source, 'janitor.sh');
  sweepScratch(janitorScript);

  const scratch = createScratch();
  const janitor = startJanitor(janitorScript, scratch);
  let init: Init | undefined;
  try {
    createCgroups(cgroups, scratch.name, scratch.directory);
    writeNotes(scratch, {
      kept: keptDirectories([checkout, cwd]),
      trees,
      units: STOCK_UNITS,
      systemd: [programs.systemd],
    });
    init = startInit(programs, join(source, 'init.sh'), scratch);
    const initPid = await waitUntilUp(init, options.signal);
    return new PrivateHost({ layout: cgroups.layout, initPid, init, janitor, programs, cwd, bootId: scratch.bootId });
  } catch (error) {
    init?.child.kill('SIGKILL');
    await janitor.finish();
    throw error;
  }
}

function writeNotes(scratch: Scratch, notes: Readonly<Record<string, readonly string[]>>): void {
  for (const [name, lines] of Object.entries(notes)) {
    writeFileSync(join(scratch.directory, name), lines.map((line) => `${line}\n`).join(''));
  }
}
