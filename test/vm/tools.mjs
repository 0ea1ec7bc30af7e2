import { spawnSync } from 'node:child_process';
import { report, SetupError } from '../../src/setup/report.mjs';
import { aptGet, candidateVersion, hasCommand, installFromBackports } from './apt.mjs';

export const QEMU = 'qemu-system-x86_64';

/** Older emulators panicked guests: 7.2 did, 10.0 does not. */
const QEMU_MAJOR_MIN = 10;

/** Tools beside the emulator, and the package that brings each. */
const TOOLS = [
  { command: 'mmdebstrap', package: 'mmdebstrap' },
  { command: 'mke2fs', package: 'e2fsprogs' },
  { command: 'setpriv', package: 'util-linux' },
];

/**
 * Installs what makes and runs the VM when it is missing.
 * @param {import('./apt.mjs').Archive} archive
 * @param {string} directory for temporary files
 * @returns {void}
 * @throws {SetupError}
 */
export function installTools(archive, directory) {
  const missing = TOOLS.filter((tool) => !hasCommand(tool.command)).map((tool) => tool.package);
  const isEmulatorMissing = !isEmulatorRecent();
  if (missing.length === 0 && !isEmulatorMissing) return;
  report('fetching the package lists');
  aptGet(['update']);
  if (isEmulatorMissing && major(candidateVersion('qemu-system-x86')) >= QEMU_MAJOR_MIN) missing.push('qemu-system-x86');
  if (missing.length > 0) {
    report(`installing ${missing.join(', ')}`);
    aptGet(['install', '-y', '--no-install-recommends', ...missing]);
  }
  if (isEmulatorRecent()) return;
  report(`installing qemu-system-x86 from the backports of ${archive.release}`);
  installFromBackports(archive, directory, ['qemu-system-x86']);
  if (!isEmulatorRecent()) throw new SetupError(`${QEMU} ${QEMU_MAJOR_MIN} or newer is needed`);
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
