/**
 * One thing of the machine that is needed: found by looking for it, not by asking a package manager, so that any
 * distribution will do.
 * @typedef {object} Need
 * @property {string} why completes "installing <package>: …"
 * @property {readonly string[]} anyOf paths, absolute or names of commands on the search path; one of them is enough
 * @property {Readonly<Record<Distribution, string>>} package
 */

/**
 * A family of distributions, by its package manager.
 * @typedef {'debian' | 'fedora' | 'arch'} Distribution
 */

/** Directories of shared libraries on the distributions we name; `*` stands for the multiarch triplet. */
const LIBRARY_DIRECTORIES = ['/usr/lib/*', '/lib/*', '/usr/lib64', '/usr/lib'];

/**
 * @param {string} why
 * @param {readonly string[]} anyOf
 * @param {string} debian
 * @param {{ fedora?: string, arch?: string }} [others] where the name differs
 * @returns {Need}
 */
function need(why, anyOf, debian, others = {}) {
  return { why, anyOf, package: { debian, fedora: others.fedora ?? debian, arch: others.arch ?? debian } };
}

/** What running agents needs. @type {readonly Need[]} */
export const RUN_NEEDS = [
  need('builds the file system view of an agent', ['bwrap'], 'bubblewrap'),
  need('holds agents, their limits and logs', ['/usr/lib/systemd/systemd', '/lib/systemd/systemd'], 'systemd'),
  need('carries requests to systemd', ['dbus-daemon', 'dbus-broker'], 'dbus', { fedora: 'dbus-daemon' }),
  need(
    'lets an agent have a user of its own',
    LIBRARY_DIRECTORIES.map((directory) => `${directory}/libnss_systemd.so.2`),
    'libnss-systemd',
    { fedora: 'systemd-libs', arch: 'systemd' },
  ),
  need('makes the namespaces of the private host', ['unshare'], 'util-linux'),
  need(
    'certificates for agents that speak TLS',
    ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'],
    'ca-certificates',
  ),
  need('what the demo agent works with', ['git'], 'git'),
];

/** What the tests need on top. @type {readonly Need[]} */
export const TEST_NEEDS = [
  need('links of agents and the pretend internet are made with it', ['ip'], 'iproute2', { fedora: 'iproute' }),
  need('the walls of agents with a link of their own', ['nft'], 'nftables'),
  need('some hostile test agents are written in it', ['python3'], 'python3', { arch: 'python' }),
  need('agents in tests install packages with it', ['/usr/bin/pip3'], 'python3-pip', { arch: 'python-pip' }),
  need('agents in tests fetch pages with it', ['curl'], 'curl'),
  need('makes the certificates of the pretend internet', ['openssl'], 'openssl'),
  need('an upstream proxy in tests', ['squid'], 'squid'),
  need('another upstream proxy in tests', ['tinyproxy'], 'tinyproxy'),
  need('reads and checks the files of the flake', ['nix-instantiate'], 'nix-bin', { fedora: 'nix', arch: 'nix' }),
  need('tests look at processes with it', ['ps'], 'procps', { fedora: 'procps-ng', arch: 'procps-ng' }),
];
