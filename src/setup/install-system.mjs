import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { callerDirectory } from './checkout.mjs';
import { enablingLinks, installedTree, manifestPath } from './installed-tree.mjs';
import { placeFile, placeLink } from './place.mjs';
import { isCommand, report, runCommand, SetupError } from './report.mjs';

const USAGE = `Usage: npm run -s install-system [-- OPTION…]
Installs the built programs, units, schemas and completions as a system component.
  --destdir DIR   install below DIR and start nothing (for images and packages that are packed from a directory)
  --package       write below the prefix, nothing else: no unit is linked or started, and root is not needed
  --enable        with --destdir: link the units that a boot starts, as without it
  --prefix DIR    /usr (the default) or /usr/local; with --destdir or --package any absolute path
  --tools DIR     look for bwrap, nft, systemd-notify and the like in DIR before the usual places; may be repeated
  --node PATH     interpreter that the installed programs name (default: this one)
A package whose files stay where they are built, as in /nix/store, runs this after \`npm run build\`:
  node src/setup/install-system.mjs --package --prefix "$out" --node NODE --tools BWRAP/bin --tools SYSTEMD/bin \\
    --tools SYSTEMD/lib/systemd --tools …
Tools are programs of bubblewrap, systemd, iproute2, nftables, util-linux (flock), coreutils, findutils, grep, awk and
getent. Units, sysusers.d and tmpfiles.d lie below PREFIX/lib; the system that uses the package links them.`;

/** Linux reads at most this much of a `#!` line before 5.1 (BINPRM_BUF_SIZE). */
const INTERPRETER_BYTES_MAX = 125;

/** Below these systemd looks for units, users and directories by itself (systemd.unit(5), sysusers.d(5)). */
const SEARCHED_PREFIXES = ['/usr', '/usr/local'];

/** What a unit, a search path and a shell take as it is. */
const PLAIN_PATH = /^(\/[A-Za-z0-9+._?=@~-]+)+$/;

/**
 * Puts the files of an installation below `destdir`, removes those of an older one, and links the units that a boot
 * starts when `enable` says so. Takes some tens of milliseconds, starts no process.
 * @param {{ destdir: string, prefix: string, node: string, tools: readonly string[], enable: boolean }} options
 * @returns {string[]} the installed paths
 */
export function placeSystem({ destdir, prefix, node, tools, enable }) {
  if (/\s/.test(node) || Buffer.byteLength(node) > INTERPRETER_BYTES_MAX) {
    throw new SetupError(`${node} cannot stand in a #! line: name another interpreter with --node`);
  }
  const isDebian = prefix === '/usr' && existsSync('/etc/debian_version');
  const tree = installedTree({ prefix, node, tools, isDebian });
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
 * @param {string} option
 * @param {string} value
 * @returns {string} the path in its shortest form
 * @throws {SetupError} when it is none that can stand in units and scripts
 */
function plainPath(option, value) {
  if (!isAbsolute(value)) throw new SetupError(`${option} must be an absolute path`);
  const path = resolve(value);
  if (PLAIN_PATH.test(path)) return path;
  throw new SetupError(`${option} ${value} cannot stand in a unit: use letters, digits and +-._?=@~ only`);
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
      package: { type: 'boolean' },
      prefix: { type: 'string' },
      tools: { type: 'string', multiple: true },
      node: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const { node = process.execPath, enable = false } = values;
  const prefix = plainPath('--prefix', values.prefix ?? '/usr');
  const tools = (values.tools ?? []).map((directory) => plainPath('--tools', directory));
  const destdir = resolve(callerDirectory(), values.destdir ?? '/');
  const isThisMachine = destdir === '/' && !values.package;
  if (isThisMachine && process.getuid?.() !== 0) throw new SetupError('installing on this machine needs root');
  if (isThisMachine && !SEARCHED_PREFIXES.includes(prefix)) {
    throw new SetupError(`systemd finds nothing below ${prefix}: use --package, and link what lies in ${prefix}/lib`);
  }
  const installed = placeSystem({ destdir, prefix, node, tools, enable: enable || isThisMachine });
  report(`${installed.length} files installed below ${join(destdir, prefix)}`);
  if (!isThisMachine) return 0;
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
