import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { inCheckout } from './checkout.mjs';
import { KOFFI_NATIVE } from './koffi-loader.mjs';
import { SetupError } from './report.mjs';

/** The prefix that the files in units/ are written for. */
const WRITTEN_PREFIX = '/usr';

/** Programs of the installed tree; the private host belongs to the checkout alone. */
const INSTALLED_PROGRAMS = ['agent-spawn', 'agentctl', 'agent-spawnd', 'agent-egressd'];
const COMMANDS = ['agent-spawn', 'agentctl'];
const UNITS = [
  'agent-spawnd.service',
  'agent-spawnd.socket',
  'agent-egressd.service',
  'agent-egressd.socket',
  'agent-egress@.service',
  'agent-egress@.socket',
  'agent-egress-veth@.service',
  'agent-egress-veth@.socket',
  'agent-veth@.service',
  'agents.slice',
];

/** Units that a boot starts, and the target that wants each: what `systemctl enable` would link. */
const ENABLED_UNITS = [
  { unit: 'agent-spawnd.socket', wantedBy: 'sockets.target' },
  { unit: 'agent-egressd.socket', wantedBy: 'sockets.target' },
  { unit: 'agent-spawnd.service', wantedBy: 'multi-user.target' },
];

/**
 * One thing the installer puts on a machine: a file with its contents, or a link with its target.
 * @typedef {{ path: string, contents: string | Buffer, mode: number } | { path: string, link: string }} Entry
 */

/**
 * Where the manifest of an installation lies.
 * @param {string} prefix
 * @returns {string}
 */
export function manifestPath(prefix) {
  return `${prefix}/lib/agent-spawn/manifest`;
}

/**
 * The links of `systemctl enable` for the units that a boot starts.
 * @param {string} prefix
 * @returns {{ path: string, link: string }[]}
 */
export function enablingLinks(prefix) {
  return ENABLED_UNITS.map(({ unit, wantedBy }) => ({
    path: `/etc/systemd/system/${wantedBy}.wants/${unit}`,
    link: `${prefix}/lib/systemd/system/${unit}`,
  }));
}

/**
 * Everything an installation consists of, with absolute paths as the installed system will see them.
 * @param {{ prefix: string, node: string, isDebian: boolean }} options `node`: absolute path of the interpreter
 * @returns {Entry[]}
 * @throws {SetupError} when dist/ is not built
 */
export function installedTree(options) {
  const { prefix } = options;
  const entries = [
    ...programEntries(options),
    ...unitEntries(prefix),
    ...schemaEntries(prefix),
    ...completionEntries(options),
  ];
  const paths = entries.map((entry) => entry.path).sort();
  entries.push({ path: manifestPath(prefix), contents: `${paths.join('\n')}\n`, mode: 0o644 });
  return entries;
}

/**
 * @param {{ prefix: string, node: string }} options
 * @returns {Entry[]}
 */
function programEntries({ prefix, node }) {
  const directory = `${prefix}/lib/agent-spawn`;
  /** @type {Entry[]} */
  const entries = INSTALLED_PROGRAMS.map((name) => ({
    path: `${directory}/${name}.cjs`,
    contents: withInterpreter(readBuilt(`${name}.cjs`), node),
    mode: 0o755,
  }));
  entries.push({ path: `${directory}/${KOFFI_NATIVE}`, contents: readBuilt(KOFFI_NATIVE), mode: 0o644 });
  for (const name of ['exit-report', 'holder', 'network-guard', 'refuse', 'with-keys']) {
    entries.push({ path: `${directory}/${name}`, contents: readUnit(name, prefix), mode: 0o755 });
  }
  for (const name of COMMANDS) entries.push({ path: `${prefix}/bin/${name}`, link: `../lib/agent-spawn/${name}.cjs` });
  return entries;
}

/**
 * @param {string} prefix
 * @returns {Entry[]}
 */
function unitEntries(prefix) {
  /** @type {Entry[]} */
  const entries = UNITS.map((name) => ({
    path: `${prefix}/lib/systemd/system/${name}`,
    contents: readUnit(name, prefix),
    mode: 0o644,
  }));
  for (const kind of ['tmpfiles', 'sysusers']) {
    const contents = readUnit(`agent-spawn.${kind}.conf`, prefix);
    entries.push({ path: `${prefix}/lib/${kind}.d/agent-spawn.conf`, contents, mode: 0o644 });
  }
  return entries;
}

/**
 * @param {string} prefix
 * @returns {Entry[]}
 */
function schemaEntries(prefix) {
  return readdirSync(inCheckout('schema'))
    .filter((name) => name.endsWith('.json'))
    .map((name) => ({
      path: `${prefix}/share/agent-spawn/schema/${name}`,
      contents: readFileSync(inCheckout('schema', name)),
      mode: 0o644,
    }));
}

/**
 * @param {{ prefix: string, isDebian: boolean }} options Debian's zsh searches a directory of its own
 * @returns {Entry[]}
 */
function completionEntries({ prefix, isDebian }) {
  const zsh = isDebian ? 'vendor-completions' : 'site-functions';
  const places = {
    bash: `${prefix}/share/bash-completion/completions/agentctl`,
    zsh: `${prefix}/share/zsh/${zsh}/_agentctl`,
    fish: `${prefix}/share/fish/vendor_completions.d/agentctl.fish`,
  };
  /** @type {Entry[]} */
  const entries = Object.entries(places)
    .filter(([shell]) => existsSync(inCheckout('dist/completions', shell)))
    .map(([shell, path]) => ({ path, contents: readBuilt(join('completions', shell)), mode: 0o644 }));
  // One file completes both commands, but these shells look for a file of the command's name.
  for (const shared of [places.bash, places.fish]) {
    const path = shared.replace(/agentctl(?=(\.fish)?$)/, 'agent-spawn');
    if (entries.some((entry) => entry.path === shared)) entries.push({ path, link: basename(shared) });
  }
  return entries;
}

/**
 * @param {string} name relative to dist/
 * @returns {Buffer}
 */
function readBuilt(name) {
  try {
    return readFileSync(inCheckout('dist', name));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    throw new SetupError(`dist/${name} does not exist: run \`npm run build\` first`);
  }
}

/**
 * A file of units/, with its paths moved to another prefix.
 * @param {string} name
 * @param {string} prefix
 * @returns {string}
 */
function readUnit(name, prefix) {
  const text = readFileSync(inCheckout('units', name), 'utf8');
  return text.replaceAll(`${WRITTEN_PREFIX}/lib/agent-spawn/`, `${prefix}/lib/agent-spawn/`);
}

/**
 * @param {Buffer} program starts with a `#!` line
 * @param {string} node
 * @returns {string}
 */
function withInterpreter(program, node) {
  return program.toString().replace(/^#!.*/, `#!${node}`);
}
