import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from '../../src/setup/report.mjs';
import { runTool, runToolQuietly } from './tool.mjs';

const OS_RELEASE = '/etc/os-release';
const PACKAGE_LISTS = '/var/lib/apt/lists';

/** Signs every suite of the archive; other keyrings of the machine are not trusted for the image. */
export const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * The archive that this machine installs from.
 * @typedef {object} Archive
 * @property {string} uri as apt is configured with
 * @property {string} release code name of the machine's own release
 */

/**
 * Reads apt's own configuration: which address serves the release this machine runs.
 * @returns {Archive}
 * @throws {SetupError} when this is not Debian or apt knows no archive of it
 */
export function readArchive() {
  const release = /^VERSION_CODENAME=(.+)$/m.exec(readFileSync(OS_RELEASE, 'utf8'))?.[1];
  if (release === undefined || !existsSync(KEYRING)) {
    throw new SetupError(`the VM image is made with Debian's own tools: ${KEYRING} and a release name are needed`);
  }
  if (!hasPackageLists()) aptGet(['update']);
  const format = '$(REPO_URI)|$(RELEASE)|$(CODENAME)|$(COMPONENT)';
  const listed = runTool('apt-get', ['indextargets', '--format', format, 'Identifier: Packages']);
  for (const line of listed.split('\n')) {
    const [uri, suite, codename, component] = line.split('|');
    if (uri && component === 'main' && (suite === release || codename === release)) return { uri, release };
  }
  throw new SetupError(`apt has no source for the component main of ${release}`);
}

/** @returns {boolean} whether package lists were ever fetched; images of containers come without */
function hasPackageLists() {
  return existsSync(PACKAGE_LISTS) && readdirSync(PACKAGE_LISTS).some((name) => name.includes('_Packages'));
}

/**
 * Version that apt would install, without epoch and revision, or undefined when it knows no such package.
 * @param {string} name
 * @returns {string | undefined}
 */
export function candidateVersion(name) {
  const policy = runTool('apt-cache', ['policy', name]);
  return /^ {2}Candidate: (?:\d+:)?(\d[^\s+~-]*)/m.exec(policy)?.[1];
}

/**
 * Runs apt-get without questions. The end of what it printed becomes the message when it fails.
 * @param {readonly string[]} args
 * @returns {void}
 * @throws {SetupError}
 */
export function aptGet(args) {
  if (process.getuid?.() !== 0) throw new SetupError(`run as root once: apt-get ${args.join(' ')}`);
  runToolQuietly('apt-get', ['-q', '-o', 'Dpkg::Options::=--force-confold', '-o', 'DPkg::Lock::Timeout=300', ...args]);
}

/**
 * Installs packages from the backports of the machine's release. Source list and package lists of this one
 * installation lie in `directory`, so that apt's own configuration stays as it is.
 * @param {Archive} archive
 * @param {string} directory
 * @param {readonly string[]} packages
 * @returns {void}
 * @throws {SetupError}
 */
export function installFromBackports(archive, directory, packages) {
  const backports = `${archive.release}-backports`;
  const lists = join(directory, 'lists');
  mkdirSync(join(lists, 'partial'), { recursive: true });
  const source = join(directory, 'sources.list');
  const lines = [archive.release, backports].map(
    (suite) => `deb [signed-by=${KEYRING}] ${archive.uri} ${suite} main\n`,
  );
  writeFileSync(source, lines.join(''));
  const options = ['-o', `Dir::Etc::SourceList=${source}`, '-o', 'Dir::Etc::SourceParts=-'];
  options.push('-o', `Dir::State::Lists=${lists}`);
  aptGet([...options, 'update']);
  aptGet([...options, 'install', '-y', '--no-install-recommends', '-t', backports, ...packages]);
}

/**
 * @param {string} name of a command
 * @returns {boolean} whether it is on the search path of root
 */
export function hasCommand(name) {
  const found = spawnSync('/bin/sh', ['-c', `PATH="$PATH:/usr/sbin:/sbin" command -v ${name}`], { stdio: 'ignore' });
  return found.status === 0;
}
