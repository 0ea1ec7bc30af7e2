import { spawnSync } from 'node:child_process';
import { report, SetupError } from '../../src/setup/report.mjs';
import { aptGet, candidateVersion, hasCommand, installFromBackports } from './apt.mjs';

export const QEMU = 'qemu-system-x86_64';
const EMULATOR = 'qemu-system-x86';

/** Older emulators panicked guests: 7.2 did, 10.0 does not. */
const QEMU_MAJOR_MIN = 10;

/** Tools beside the emulator, and the package that brings each. */
const TOOLS = [
  { command: 'mmdebstrap', package: 'mmdebstrap' },
  { command: 'mke2fs', package: 'e2fsprogs' },
  { command: 'setpriv', package: 'util-linux' },
];

/**
 * Packages that make and run the VM and are missing here.
 * @returns {string[]}
 */
export function missingTools() {
  const missing = TOOLS.filter((tool) => !hasCommand(tool.command)).map((tool) => tool.package);
  if (!isEmulatorRecent()) missing.push(EMULATOR);
  return missing;
}

/**
 * Installs packages that `missingTools` named; the emulator from the release's backports where its own is too old.
 * @param {readonly string[]} packages
 * @param {import('./apt.mjs').Archive} archive
 * @param {string} directory for temporary files
 * @returns {void}
 * @throws {SetupError}
 */
export function installTools(packages, archive, directory) {
  report('fetching the package lists');
  aptGet(['update']);
  const isOld = packages.includes(EMULATOR) && !(major(candidateVersion(EMULATOR)) >= QEMU_MAJOR_MIN);
  const own = packages.filter((name) => name !== EMULATOR || !isOld);
  if (own.length > 0) {
    report(`installing ${own.join(', ')}`);
    aptGet(['install', '-y', '--no-install-recommends', ...own]);
  }
  if (isOld) {
    report(`installing ${EMULATOR} from the backports of ${archive.release}`);
    installFromBackports(archive, directory, [EMULATOR]);
  }
  const still = missingTools();
  if (still.length > 0) throw new SetupError(`still missing: ${still.join(', ')}`);
}

/** @returns {boolean} whether an emulator is installed that does not panic its guests */
function isEmulatorRecent() {
  const asked = spawnSync(QEMU, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return major(/version (\S+)/.exec(asked.stdout ?? '')?.[1]) >= QEMU_MAJOR_MIN;
}

/**
 * @param {string | undefined} version
 * @returns {number} NaN when there is none: no comparison holds
 */
function major(version) {
  return Number.parseInt(version ?? '', 10);
}
