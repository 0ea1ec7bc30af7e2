import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { callerDirectory, callerEnvironment } from './caller.ts';
import type { CgroupLayout } from './cgroup-layout.ts';
import { createCgroups, probeCgroups, visits } from './cgroups.ts';
import { findCheckout } from './checkout.ts';
import { type Init, probeScopeOptions, startInit, waitUntilUp } from './init.ts';
import { installedTree } from './installation.ts';
import { startJanitor } from './janitor.ts';
import { keptDirectories } from './kept.ts';
import { findPrograms } from './needs.ts';
import { PrivateHost } from './private-host.ts';
import { createScratch, planScratch, type Scratch, sweepScratch } from './scratch.ts';
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
  const programs = findPrograms(callerEnvironment()['PATH'] ?? '');
  const checkout = options.checkout ?? findCheckout(process.argv[1] ?? '.');
  const source = join(checkout, 'src/private-host');
  const found = probeCgroups();
  options.onLayout?.(found.layout);
  const cwd = options.cwd ?? callerDirectory();
  const trees = [join(source, 'root'), ...(options.isBare === true ? [] : [installedTree(checkout)])];
  const janitorScript = join(source, 'janitor.sh');
  sweepScratch(janitorScript);

  const scratch = planScratch();
  const janitor = startJanitor(janitorScript, scratch.directory);
  let init: Init | undefined;
  try {
    createScratch(scratch);
    const cgroups = createCgroups(found, scratch.name, scratch.directory);
    const kept = keptDirectories([checkout, cwd]);
    writeNotes(scratch, { kept, trees, units: STOCK_UNITS, systemd: [programs.systemd] });
    init = startInit(programs, join(source, 'init.sh'), scratch);
    const scopeOptions = probeScopeOptions(programs);
    const initPid = await waitUntilUp(init, options.signal);
    return new PrivateHost({
      birthplace: { initPid, cgroups: visits(cgroups) },
      ...{ layout: found.layout, bootId: scratch.bootId, name: scratch.name, cwd },
      ...{ init, janitor, programs, scopeOptions },
    });
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
