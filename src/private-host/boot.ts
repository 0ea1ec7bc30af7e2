import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SpawnError } from '../base/errors.ts';
import { PRIVATE_HOST_BOOT_TIMEOUT_MS } from '../base/limits.ts';
import { callerDirectory, callerEnvironment } from './caller.ts';
import type { CgroupLayout } from './cgroup-layout.ts';
import { createCgroups, probeCgroups, visits } from './cgroups.ts';
import { findCheckout } from './checkout.ts';
import { type Init, probeScopeOptions, startInit, waitUntilAssembled, waitUntilReady } from './init.ts';
import { installedTree } from './installation.ts';
import { startJanitor } from './janitor.ts';
import { keptDirectories } from './kept.ts';
import { findPrograms } from './needs.ts';
import { PrivateHost } from './private-host.ts';
import { createScratch, planScratch, type Scratch, sweepScratch } from './scratch.ts';
import { STOCK_UNITS } from './stock-units.ts';

/** Time for asking a host why it is late, milliseconds. */
const DIAGNOSIS_TIMEOUT_MS = 5000;

/** How to boot. */
export interface BootOptions {
  /** Without agent-spawn installed in it. */
  readonly isBare?: boolean;
  /** Directory that is the machine's own inside, and where programs start; default: this process's. */
  readonly cwd?: string;
  /** The checkout to install; default: the one that the running program lies in. */
  readonly checkout?: string;
  /** Directories whose etc and usr are copied over the host's own before PID 1 starts, in this order. */
  readonly trees?: readonly string[];
  /** After this time the boot counts as failed, milliseconds. */
  readonly timeoutMs?: number;
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
  const installed = options.isBare === true ? [] : [installedTree(checkout)];
  const trees = [join(source, 'root'), ...installed, ...(options.trees ?? [])];
  const janitorScript = join(source, 'janitor.sh');
  sweepScratch(janitorScript);

  const deadline = new AbortController();
  const timeoutMs = options.timeoutMs ?? PRIVATE_HOST_BOOT_TIMEOUT_MS;
  const timer = setTimeout(() => deadline.abort(), timeoutMs);
  const abort = options.signal === undefined ? deadline.signal : AbortSignal.any([deadline.signal, options.signal]);
  const scratch = planScratch();
  const janitor = startJanitor(janitorScript, scratch.directory);
  let init: Init | undefined;
  let host: PrivateHost | undefined;
  try {
    createScratch(scratch);
    const cgroups = createCgroups(found, scratch.name, scratch.directory);
    const kept = keptDirectories([checkout, cwd]);
    writeNotes(scratch, { kept, trees, units: STOCK_UNITS, systemd: [programs.systemd] });
    init = startInit(programs, join(source, 'init.sh'), scratch);
    const scopeOptions = probeScopeOptions(programs);
    const initPid = await waitUntilAssembled(init, abort);
    host = new PrivateHost({
      birthplace: { initPid, cgroups: visits(cgroups) },
      ...{ layout: found.layout, bootId: scratch.bootId, name: scratch.name, cwd },
      ...{ init, janitor, programs, scopeOptions },
    });
    await waitUntilReady(init, initPid, abort);
    return host;
  } catch (error) {
    const reason = deadline.signal.aborted ? await lateness(host, timeoutMs) : (options.signal?.reason ?? error);
    init?.child.kill('SIGKILL');
    await janitor.finish();
    throw reason;
  } finally {
    clearTimeout(timer);
  }
}

/** What a boot that took too long was waiting for. */
async function lateness(host: PrivateHost | undefined, timeoutMs: number): Promise<SpawnError> {
  const message = `not up after ${timeoutMs} ms`;
  try {
    const listed = await host?.run(['systemctl', 'list-jobs', '--no-pager', '--no-legend'], {
      cwd: '/',
      hasScope: false,
      timeoutMs: DIAGNOSIS_TIMEOUT_MS,
    });
    const jobs = (listed?.stdout ?? '').split('\n').map((line) => line.trim().split(/\s+/).slice(1).join(' '));
    const waiting = jobs.filter((job) => job !== '');
    if (waiting.length > 0)
      return new SpawnError('private-host.boot-failed', `${message}, jobs: ${waiting.join(', ')}`);
  } catch {
    // A host that cannot be asked has said all it will.
  }
  return new SpawnError('private-host.boot-failed', message);
}

function writeNotes(scratch: Scratch, notes: Readonly<Record<string, readonly string[]>>): void {
  for (const [name, lines] of Object.entries(notes)) {
    writeFileSync(join(scratch.directory, name), lines.map((line) => `${line}\n`).join(''));
  }
}
