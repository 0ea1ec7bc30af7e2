import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { inCheckout } from './checkout.mjs';
import { KOFFI_NATIVE } from './koffi-loader.mjs';
import { SetupError } from './report.mjs';

/** The prefix that the files in units/ are written for. */
const WRITTEN_PREFIX = '/usr';

/** The relay that the files in units/ name. */
const WRITTEN_RELAY = '/usr/lib/systemd/systemd-socket-proxyd';

/** Programs of the installed tree; the private host belongs to the checkout alone. */
const INSTALLED_PROGRAMS = ['agent-spawn', 'agentctl', 'agent-spawnd', 'agent-egressd', 'card-check'];
const COMMANDS = ['agent-spawn', 'agentctl'];
const SCRIPTS = ['exit-report', 'holder', 'network-guard', 'refuse', 'with-keys'];
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
 * What an installation is made for. `node` is the absolute path of the interpreter. `tools` are directories in which
 * programs of the system are looked for before the usual ones; `isDebian`: Debian's zsh searches a directory of its own.
 * @typedef {{ prefix: string, node: string, tools: readonly string[], isDebian: boolean }} TreeOptions
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
 * @param {TreeOptions} options
 * @returns {Entry[]}
 * @throws {SetupError} when dist/ is not built, or there are tools and no relay among them
 */
export function installedTree(options) {
  const entries = [
    ...programEntries(options),
    ...toolEntries(options),
    ...unitEntries(options),
    ...schemaEntries(options.prefix),
    ...completionEntries(options),
  ];
  const { prefix } = options;
  const paths = entries.map((entry) => entry.path).sort();
  entries.push({ path: manifestPath(prefix), contents: `${paths.join('\n')}\n`, mode: 0o644 });
  return entries;
}

/**
 * @param {TreeOptions} options
 * @returns {Entry[]}
 */
function programEntries({ prefix, node, tools }) {
  const directory = `${prefix}/lib/agent-spawn`;
  /** @type {Entry[]} */
  const entries = INSTALLED_PROGRAMS.map((name) => ({
    path: `${directory}/${name}.cjs`,
    contents: withInterpreter(readBuilt(`${name}.cjs`), node),
    mode: 0o755,
  }));
  entries.push({ path: `${directory}/${KOFFI_NATIVE}`, contents: readBuilt(KOFFI_NATIVE), mode: 0o644 });
  for (const name of SCRIPTS) {
    entries.push({ path: `${directory}/${name}`, contents: withTools(readUnit(name, prefix), tools), mode: 0o755 });
  }
  for (const name of COMMANDS) entries.push({ path: `${prefix}/bin/${name}`, link: `../lib/agent-spawn/${name}.cjs` });
  return entries;
}

/**
 * What the programs read to know where to look first, one directory a line; no file stands for no directories.
 * @param {TreeOptions} options
 * @returns {Entry[]}
 */
function toolEntries({ prefix, tools }) {
  if (tools.length === 0) return [];
  return [{ path: `${prefix}/lib/agent-spawn/tools`, contents: `${tools.join('\n')}\n`, mode: 0o644 }];
}

/**
 * @param {TreeOptions} options
 * @returns {Entry[]}
 */
function unitEntries({ prefix, tools }) {
  const relay = tools.length === 0 ? WRITTEN_RELAY : findRelay(tools);
  /** @type {Entry[]} */
  const entries = UNITS.map((name) => ({
    path: `${prefix}/lib/systemd/system/${name}`,
    contents: readUnit(name, prefix).replaceAll(WRITTEN_RELAY, relay),
    mode: 0o644,
  }));
  for (const kind of ['tmpfiles', 'sysusers']) {
    const contents = readUnit(`agent-spawn.${kind}.conf`, prefix);
    entries.push({ path: `${prefix}/lib/${kind}.d/agent-spawn.conf`, contents, mode: 0o644 });
  }
  return entries;
}

/**
 * A unit names its program by the absolute path; it cannot be left to a search.
 * @param {readonly string[]} tools
 * @returns {string}
 */
function findRelay(tools) {
  const name = basename(WRITTEN_RELAY);
  const found = tools.map((directory) => join(directory, name)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new SetupError(`no directory of --tools holds ${name}: add systemd's own, DIR/lib/systemd`);
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
 * @param {TreeOptions} options
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
 * A script with the tools in front of its own search path.
 * @param {string} script
 * @param {readonly string[]} tools
 * @returns {string}
 */
function withTools(script, tools) {
  const places = tools.map((directory) => `${directory}:`).join('');
  return script.replace(/^export PATH=/m, () => `export PATH=${places}`);
}

/**
 * @param {Buffer} program starts with a `#!` line
 * @param {string} node
 * @returns {string}
 */
function withInterpreter(program, node) {
  return program.toString().replace(/^#!.*/, `#!${node}`);
}
