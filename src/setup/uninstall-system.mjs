import { existsSync, readdirSync, readlinkSync, rmdirSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { callerDirectory } from './checkout.mjs';
import { isSystemdRunning, readManifest, systemd } from './install-system.mjs';
import { enablingLinks, manifestPath } from './installed-tree.mjs';
import { isCommand, report, runCommand, SetupError } from './report.mjs';

const USAGE = `Usage: npm run -s uninstall-system [-- --force] [--destdir DIR] [--prefix /usr]
Removes what install-system installed. Workspaces, /etc/agents, /etc/agent-spawn, /var/lib/agent-spawn and the audits in /var/log/agent-egress stay.
  --force   stop agents that still run instead of refusing`;

const AGENT_UNITS = 'sandboxed-agent@*.service';
/** A pattern stands for units that are loaded; of those none need be left. */
const EGRESS_UNITS = [
  ...['agent-egressd.socket', 'agent-egressd.service', 'agent-egress@*.socket', 'agent-egress@*.service'],
  ...['agent-egress-veth@*.socket', 'agent-egress-veth@*.service', 'agent-veth@*.service'],
];

/** Homes that outlive runs; a dash of their path is written as a backslash and a number. */
const HOME_UNITS = 'run-agent?x2dspawn-homes-*.mount';

/**
 * Removes the files of an installation, the directories that only it filled, and the links that started it at boot.
 * @param {{ destdir: string, prefix: string }} options
 * @returns {number} how many files were removed
 */
export function removeSystem({ destdir, prefix }) {
  const installed = readManifest(destdir, prefix);
  const links = enablingLinks(prefix).map(({ path }) => path);
  for (const path of [...links, ...installed, manifestPath(prefix)]) rmSync(join(destdir, path), { force: true });
  const own = [`${prefix}/lib/agent-spawn`, `${prefix}/share/agent-spawn/schema`, `${prefix}/share/agent-spawn`];
  for (const path of own) removeEmptyDirectory(join(destdir, path));
  return installed.length;
}

/**
 * @param {string} path
 * @returns {void}
 */
function removeEmptyDirectory(path) {
  try {
    rmdirSync(path);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTEMPTY') throw error;
  }
}

/**
 * Stops the daemon; refuses while agents run, unless they shall be stopped too. They go first, while the daemon is there
 * to clear up after them.
 * @param {boolean} force
 * @returns {void}
 */
function deactivate(force) {
  const states = '--state=active,activating,deactivating,reloading';
  const listed = systemd('systemctl', 'list-units', '--plain', '--no-legend', states, AGENT_UNITS);
  const running = listed.split('\n').flatMap((line) => /^sandboxed-agent@(\S+)\.service/.exec(line)?.[1] ?? []);
  if (running.length > 0 && !force) {
    throw new SetupError(`${running.length} agents run (${running.join(', ')}): stop them first, or use --force`);
  }
  if (running.length > 0) systemd('systemctl', 'stop', AGENT_UNITS);
  systemd('systemctl', 'stop', 'agent-spawnd.socket', 'agent-spawnd.service');
  systemd('systemctl', 'stop', ...EGRESS_UNITS, HOME_UNITS, 'agents.slice');
}

/**
 * Removes what the daemon keeps in /run: its records, and the units and user records it made for agents.
 * @returns {void}
 */
function removeRunState() {
  for (const path of ['/run/agent-spawn', '/run/agent-veth']) rmSync(path, { recursive: true, force: true });
  const units = [/^sandboxed-agent@.+\.service$/, /^run-agent\\x2dspawn-homes-.+\.mount$/];
  removeMatching('/run/systemd/system', (name) => units.some((unit) => unit.test(name)));
  // Each user record has a second name, its number, which is a link to the first.
  removeMatching('/run/userdb', (name, link) => /^agent-.+\.(user|group)$/.test(basename(link ?? name)));
}

/**
 * @param {string} directory absent is fine
 * @param {(name: string, link: string | undefined) => boolean} isOurs gets the target of a symbolic link too
 * @returns {void}
 */
function removeMatching(directory, isOurs) {
  if (!existsSync(directory)) return;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (isOurs(entry.name, entry.isSymbolicLink() ? readlinkSync(path) : undefined)) rmSync(path, { force: true });
  }
}

/** @returns {Promise<number>} the exit status */
async function main() {
  const { values } = parseArgs({
    options: {
      destdir: { type: 'string' },
      prefix: { type: 'string' },
      force: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const { prefix = '/usr', force = false } = values;
  const destdir = resolve(callerDirectory(), values.destdir ?? '/');
  const isThisMachine = destdir === '/';
  if (isThisMachine && process.getuid?.() !== 0) throw new SetupError('removing from this machine needs root');
  const manifest = join(destdir, manifestPath(prefix));
  if (readManifest(destdir, prefix).length === 0) throw new SetupError(`nothing is installed: no ${manifest}`);
  const isActive = isThisMachine && isSystemdRunning();
  if (isActive) deactivate(force);
  const removed = removeSystem({ destdir, prefix });
  if (isActive) {
    removeRunState();
    systemd('systemctl', 'daemon-reload');
  }
  report(`${removed} files removed; workspaces, /etc/agents, /etc/agent-spawn and /var/lib/agent-spawn are untouched`);
  return 0;
}

if (isCommand(import.meta.url)) await runCommand(main);
