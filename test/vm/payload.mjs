import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inCheckout } from '../../src/setup/checkout.mjs';
import { SetupError } from '../../src/setup/report.mjs';
import { runTool } from './tool.mjs';

/** Parts of the checkout that an installation and its tests need. */
const PARTS = [
  'dist',
  'build/src',
  'build/test',
  'schema',
  'units',
  'test',
  'src',
  'package.json',
  'package-lock.json',
];

/** Parts that a build makes, the last of its files first. */
const BUILT = ['dist/completions', 'dist/agent-spawnd.cjs', 'build/test'];

/** Modules for development that tests import. */
const TEST_MODULES = ['node_modules/ajv-formats'];

/** Room for what tests write beside the sources; the file is sparse. */
const DISK_SIZE = '512M';

/**
 * Writes the second disk of the VM: the built checkout, the modules it needs, and the command as `vm-command.sh`.
 * @param {string} work directory for the disk and the files it is made from
 * @param {readonly string[]} command argument list, run in the checkout directory inside the VM
 * @returns {string} path of the disk
 * @throws {SetupError} when something was not built
 */
export function makePayload(work, command) {
  const unbuilt = BUILT.filter((path) => !existsSync(inCheckout(path)));
  if (unbuilt.length > 0) throw new SetupError(`${unbuilt.join(', ')} missing: run \`npm run build -- --types\` first`);
  const tree = join(work, 'payload');
  mkdirSync(tree);
  // Optional modules for other platforms are not installed.
  const modules = [...runtimeModules(), ...TEST_MODULES].filter((part) => existsSync(inCheckout(part)));
  runTool('cp', ['--archive', '--parents', '--no-preserve=ownership', ...PARTS, ...modules, tree], inCheckout());
  writeFileSync(join(tree, 'vm-command.sh'), `exec ${command.map(quote).join(' ')}\n`);
  // Agents run as users of their own and are given paths below this directory.
  chmodSync(tree, 0o755);
  const disk = join(work, 'payload.img');
  const options = ['-q', '-t', 'ext4', '-O', '^has_journal', '-E', 'root_owner=0:0', '-d', tree];
  runTool('mke2fs', [...options, disk, DISK_SIZE]);
  return disk;
}

/**
 * The modules that the programs use at run time, as the lock file lists them.
 * @returns {string[]} paths relative to the checkout
 */
function runtimeModules() {
  /** @type {{ packages: Record<string, { dev?: boolean }> }} */
  const lock = JSON.parse(readFileSync(inCheckout('package-lock.json'), 'utf8'));
  return Object.entries(lock.packages).flatMap(([path, { dev }]) => (path === '' || dev === true ? [] : [path]));
}

/**
 * @param {string} argument
 * @returns {string} the same word for a POSIX shell
 */
function quote(argument) {
  if (argument.includes('\0')) throw new SetupError('an argument holds a NUL character');
  return `'${argument.replaceAll("'", "'\\''")}'`;
}
