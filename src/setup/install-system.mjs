import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { callerDirectory } from './checkout.mjs';
import { enablingLinks, installedTree, manifestPath } from './installed-tree.mjs';
import { placeFile, placeLink } from './place.mjs';
import { isCommand, report, runCommand, SetupError } from './report.mjs';

const USAGE = `Usage: npm run -s install-system [-- --destdir DIR] [--prefix /usr] [--node PATH]
Installs the built programs, units, schemas and completions as a system component.
  --destdir DIR   install below DIR and start nothing (for packages and images)
  --enable        with --destdir: link the units that a boot starts, as without it
  --prefix DIR    /usr or /usr/local (default /usr)
  --node PATH     interpreter that the installed programs name (default: this one)`;

/** Linux reads at most this much of a `#!` line before 5.1 (BINPRM_BUF_SIZE). */
const INTERPRETER_BYTES_MAX = 125;

/**
 * Puts the files of an installation below `destdir`, removes those of an older one, and links the units that a boot
 * starts when `enable` says so. Takes some tens of milliseconds, starts no process.
 * @param {{ destdir: string, prefix: string, node: string, enable: boolean }} options
 * @returns {string[]} the installed paths
 */
export function placeSystem({ destdir, prefix, node, enable }) {
  if (/\s/.test(node) || Buffer.byteLength(node) > INTERPRETER_BYTES_MAX) {
    throw new SetupError(`${node} cannot stand in a #! line: name another interpreter with --node`);
  }
  const tree = installedTree({ prefix, node, isDebian: existsSync('/etc/debian_version') });
  const before = readManifest(destdir, prefix);
  for (const entry of tree) {
    const path = join(destdir, entry.path);
    if ('link' in entry) placeLink(path, entry.link);
    else placeFile(path, entry.contents, entry.mode);
  }
  const installed = tree.map((entry) => entry.path);
  for (const path of before) {
    if (!installed.includes(path)) rmSync(join(destdir, path), { force: true });
  }
  if (enable) {
    for (const { path, link } of enablingLinks(prefix)) placeLink(join(destdir, path), link);
  }
  return installed;
}

/**
 * The paths an installation put in place, or none when there is no installation.
 * @param {string} destdir
 * @param {string} prefix
 * @returns {string[]}
 */
export function readManifest(destdir, prefix) {
  try {
    return readFileSync(join(destdir, manifestPath(prefix)), 'utf8')
      .split('\n')
      .filter(Boolean);
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

/** @returns {boolean} whether PID 1 is systemd, as sd_booted(3) tells */
export function isSystemdRunning() {
  return existsSync('/run/systemd/system');
}

/**
 * Runs one command of systemd to its end.
 * @param {string} command
 * @param {...string} args
 * @returns {string} what it printed
 * @throws {SetupError} with what it printed when it fails
 */
export function systemd(command, ...args) {
  const ended = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (ended.status === 0) return ended.stdout;
  const said = (ended.error?.message ?? ended.stderr).trim();
  throw new SetupError(`${command} ${args.join(' ')} failed: ${said}`);
}

/**
 * Makes a running systemd take up what was placed: users, directories, units; daemons that run already are replaced.
 * @param {string} prefix
 * @returns {void}
 */
function activate(prefix) {
  systemd('systemd-sysusers', `${prefix}/lib/sysusers.d/agent-spawn.conf`);
  systemd('systemd-tmpfiles', '--create', `${prefix}/lib/tmpfiles.d/agent-spawn.conf`);
  systemd('systemctl', 'daemon-reload');
  systemd('systemctl', 'start', 'agent-spawnd.socket', 'agent-egressd.socket');
  systemd('systemctl', 'try-restart', 'agent-egressd.service');
  systemd('systemctl', 'restart', 'agent-spawnd.service');
}

/**
 * The daemon runs this interpreter as root: whoever can replace it is root.
 * @param {string} node
 * @returns {void}
 */
function warnAboutOwner(node) {
  for (let path = node; path !== '/'; path = dirname(path)) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined || found.uid === 0) continue;
    report(`warning: ${path} belongs to uid ${found.uid}, who can become root through the daemon; see --node`);
    return;
  }
}

/** @returns {Promise<number>} the exit status */
async function main() {
  const { values } = parseArgs({
    options: {
      destdir: { type: 'string' },
      enable: { type: 'boolean' },
      prefix: { type: 'string' },
      node: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const { prefix = '/usr', node = process.execPath, enable = false } = values;
  const destdir = resolve(callerDirectory(), values.destdir ?? '/');
  if (!isAbsolute(prefix)) throw new SetupError('--prefix must be an absolute path');
  if (destdir === '/' && process.getuid?.() !== 0) throw new SetupError('installing on this machine needs root');
  const installed = placeSystem({ destdir, prefix, node, enable: enable || destdir === '/' });
  report(`${installed.length} files installed below ${join(destdir, prefix)}`);
  if (destdir !== '/') return 0;
  warnAboutOwner(node);
  if (!isSystemdRunning()) {
    report('PID 1 is not systemd: the daemon starts at the next boot of one');
    return 0;
  }
  activate(prefix);
  report('agent-spawnd runs; try: agentctl list');
  return 0;
}

if (isCommand(import.meta.url)) await runCommand(main);
