import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inCheckout } from '../../src/setup/checkout.mjs';
import { installPackages } from '../../src/setup/packages.mjs';
import { report } from '../../src/setup/report.mjs';

/** @typedef {import('../../src/setup/needs.mjs').Need} Need */

/**
 * As `rival.ts` has it.
 * @typedef {{ name: string, description: string, argv?: string[], env: Record<string, string>, missing?: string }} Rival
 */

/** Outside of package.json: nothing of agent-spawn may depend on it. */
const CACHE = '.cache/bench';

const SRT = '@anthropic-ai/sandbox-runtime';
const SRT_VERSION = '0.0.83';

/** What srt looks for on its search path. @type {Need[]} */
const SRT_NEEDS = [
  need('the rival srt bridges networks with it', 'socat', 'socat'),
  need('the rival srt searches the workspace with it', 'rg', 'ripgrep'),
];

/** @type {Need[]} */
const PODMAN_NEEDS = [
  need('a rival', 'podman', 'podman'),
  need('what runs in the container of podman', 'busybox', 'busybox-static', { fedora: 'busybox', arch: 'busybox' }),
];

/** What agent-egressd is compared with. @type {Need[]} */
const PROXY_NEEDS = [
  need('a proxy to compare with', 'tinyproxy', 'tinyproxy'),
  need('a proxy to compare with', 'squid', 'squid'),
];

/** Where Debian's static busybox is; others have it in one of the directories after it. */
const BUSYBOX = ['/bin/busybox', '/usr/bin/busybox', '/usr/sbin/busybox'];

/**
 * Podman would set this in the network namespace it makes, through /proc/sys, which is read-only on a private host.
 */
const CONTAINERS_CONF = '[containers]\ndefault_sysctls = []\n';

/**
 * Installs what can be installed of the rivals.
 * @param {boolean} mayInstall
 * @returns {Rival[]}
 */
export function findRivals(mayInstall) {
  mkdirSync(inCheckout(CACHE), { recursive: true });
  return [
    attempt('srt', `srt true (${SRT} ${SRT_VERSION})`, () => installSrt(mayInstall)),
    attempt('podman', 'podman run --rm --network none --rootfs DIR true', () => installPodman(mayInstall)),
  ];
}

/**
 * Installs the proxies that can be; the others are listed as missing.
 * @returns {void}
 */
export function installProxies() {
  for (const proxy of PROXY_NEEDS) {
    try {
      installPackages([proxy]);
    } catch (error) {
      report(error.message);
    }
  }
}

/**
 * @param {string} name
 * @param {string} description
 * @param {() => Pick<Rival, 'argv' | 'env'>} install
 * @returns {Rival}
 */
function attempt(name, description, install) {
  try {
    return { name, description, ...install() };
  } catch (error) {
    return { name, description, env: {}, missing: error.message.split('\n').slice(0, 3).join(' ') };
  }
}

/**
 * @param {boolean} mayInstall
 * @returns {Pick<Rival, 'argv' | 'env'>}
 */
function installSrt(mayInstall) {
  const directory = inCheckout(CACHE, `srt-${SRT_VERSION}`);
  const packageDirectory = join(directory, 'node_modules', SRT);
  if (mayInstall) installPackages(SRT_NEEDS);
  if (!existsSync(packageDirectory)) {
    if (!mayInstall) throw new Error('not installed');
    report(`installing ${SRT} ${SRT_VERSION} into ${CACHE}`);
    const options = ['--no-save', '--no-package-lock', '--ignore-scripts', '--prefix', directory];
    const ended = spawnSync('npm', ['install', ...options, `${SRT}@${SRT_VERSION}`], { encoding: 'utf8' });
    if (ended.status !== 0) throw new Error(`npm install failed: ${ended.stderr?.trim() ?? ended.error?.message}`);
  }
  const { bin } = JSON.parse(readFileSync(join(packageDirectory, 'package.json'), 'utf8'));
  return { argv: [process.execPath, join(packageDirectory, bin.srt), 'true'], env: {} };
}

/**
 * @param {boolean} mayInstall
 * @returns {Pick<Rival, 'argv' | 'env'>}
 */
function installPodman(mayInstall) {
  if (mayInstall) installPackages(PODMAN_NEEDS);
  const busybox = BUSYBOX.find((path) => existsSync(path));
  if (busybox === undefined) throw new Error('there is no busybox to put into a container');
  const root = inCheckout(CACHE, 'rootfs');
  if (!existsSync(join(root, 'bin/true'))) {
    for (const name of ['bin', 'dev', 'etc', 'proc', 'run', 'sys', 'tmp'])
      mkdirSync(join(root, name), { recursive: true });
    copyFileSync(busybox, join(root, 'bin/busybox'));
    chmodSync(join(root, 'bin/busybox'), 0o755);
    symlinkSync('busybox', join(root, 'bin/true'));
  }
  const configuration = inCheckout(CACHE, 'containers.conf');
  writeFileSync(configuration, CONTAINERS_CONF);
  // Its own databases in memory, like the rest of the private host.
  const state = [
    '--root',
    '/run/bench-podman/storage',
    '--runroot',
    '/run/bench-podman/run',
    '--storage-driver',
    'vfs',
  ];
  return {
    argv: ['podman', ...state, 'run', '--rm', '--network', 'none', '--rootfs', root, 'true'],
    env: { CONTAINERS_CONF: configuration },
  };
}

/**
 * @param {string} why
 * @param {string} command
 * @param {string} debian
 * @param {{ fedora?: string, arch?: string }} [others] where the name differs
 * @returns {Need}
 */
function need(why, command, debian, others = {}) {
  return { why, anyOf: [command], package: { debian, fedora: others.fedora ?? debian, arch: others.arch ?? debian } };
}
