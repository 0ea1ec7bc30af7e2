import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { inCheckout } from '../../src/setup/checkout.mjs';
import { isCommand, report, runCommand, SetupError } from '../../src/setup/report.mjs';
import { listFiles } from '../../src/setup/stamp.mjs';
import { KEYRING, readArchive } from './apt.mjs';
import { cacheDirectory, makeWorkDirectory, markUsed } from './cache.mjs';
import { runTool, runToolQuietly } from './tool.mjs';
import { installTools, missingTools } from './tools.mjs';

/** Release inside the VM: pure cgroup v2, systemd 257, bubblewrap 0.12. */
const RELEASE = 'trixie';

/** What the agents, the tests and the tests' hostile agents use. */
const PACKAGES = [
  ...['systemd-sysv', 'libnss-systemd', 'dbus', 'udev', 'kmod', 'mount', 'passwd'],
  ...['bubblewrap', 'iproute2', 'nftables', 'procps', 'util-linux'],
  ...['nodejs', 'git', 'curl', 'ca-certificates', 'python3'],
];

/** The cloud kernel has ext4 and NVMe built in: no initial ramdisk is needed. */
const KERNEL = 'linux-image-cloud-amd64';

/** Documentation and translations are half of the files. */
const EXCLUDED = ['/usr/share/doc/*', '/usr/share/locale/*', '/usr/share/man/*', '/usr/share/info/*'];

/** Sparse: the file takes what it holds. */
const DISK_SIZE = '3G';

/** Units that are nothing to agents and cost emulated seconds at boot. */
const MASKED = [
  ...['getty@tty1.service', 'serial-getty@ttyS0.service', 'systemd-logind.service', 'systemd-user-sessions.service'],
  ...['modprobe@configfs.service', 'modprobe@drm.service', 'modprobe@efi_pstore.service', 'modprobe@fuse.service'],
  ...['sys-fs-fuse-connections.mount', 'sys-kernel-config.mount', 'sys-kernel-debug.mount', 'sys-kernel-tracing.mount'],
  ...['proc-sys-fs-binfmt_misc.automount', 'systemd-binfmt.service', 'systemd-random-seed.service'],
  ...['dpkg-db-backup.timer', 'e2scrub_all.timer', 'e2scrub_reap.service', 'fstrim.timer'],
];

/** What the image is made from, relative to the checkout. */
const RECIPE = ['test/vm/image.mjs', 'test/vm/rootfs'];

/**
 * The files that a VM boots from; never written to by a VM.
 * @typedef {{ disk: string, kernel: string }} Image
 */

/**
 * Makes the disk image and the kernel, once for each version of the recipe; about a minute the first time.
 * Half-made files never lie under the final name: the directory is renamed when it is complete.
 * @returns {Image}
 * @throws {SetupError} when a tool is missing and cannot be installed, or failed
 */
export function ensureImage() {
  if (process.arch !== 'x64') throw new SetupError('the VM is made on x86-64 machines only');
  const directory = cacheDirectory(recipeKey());
  const image = { disk: join(directory, 'disk.img'), kernel: join(directory, 'vmlinuz') };
  const needed = missingTools();
  const isCached = existsSync(directory);
  if (isCached) markUsed(directory);
  if (needed.length === 0 && isCached) return image;
  const work = makeWorkDirectory();
  try {
    const archive = readArchive();
    if (needed.length > 0) installTools(needed, archive, work);
    if (isCached) return image;
    report(`making the VM image of ${RELEASE}; this is done once`);
    buildImage(archive.uri, work);
    publish(join(work, 'image'), directory);
    return image;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** @returns {string} digest of everything the image is made from */
function recipeKey() {
  const hash = createHash('sha256');
  for (const file of RECIPE.flatMap(listFiles)) {
    hash.update(`${file}\0`).update(readFileSync(inCheckout(file)));
  }
  return hash.digest('hex').slice(0, 16);
}

/**
 * @param {string} mirror
 * @param {string} work
 * @returns {void}
 */
function buildImage(mirror, work) {
  const root = join(work, 'root');
  const packages = join(work, 'packages');
  const kernel = join(work, 'kernel');
  const image = join(work, 'image');
  for (const directory of [packages, kernel, image]) mkdirSync(directory);
  report('installing the packages of the image');
  bootstrap(mirror, root, packages);
  const [archive] = readdirSync(packages);
  if (archive === undefined) throw new SetupError(`${KERNEL} was not downloaded`);
  runTool('dpkg-deb', ['-x', join(packages, archive), kernel]);
  placeKernel(kernel, root, join(image, 'vmlinuz'));
  configure(root);
  report('writing the disk image');
  const options = ['-q', '-t', 'ext4', '-O', '^has_journal', '-L', 'root', '-d', root];
  runTool('mke2fs', [...options, join(image, 'disk.img'), DISK_SIZE]);
}

/**
 * Unpacks and configures the packages into a directory, in namespaces of its own because it mounts /proc, /sys and /dev
 * there, and so that nothing of it outlives this process; downloads the kernel with the same package lists.
 * @param {string} mirror
 * @param {string} root
 * @param {string} packages directory for the kernel's package
 * @returns {void}
 */
function bootstrap(mirror, root, packages) {
  const fetchKernel = [
    'export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"',
    `cd '${packages}'`,
    `apt-get download "$(apt-cache depends ${KERNEL} | sed -n 's/^ *Depends: \\(linux-image-.*\\)/\\1/p' | head -n 1)"`,
  ].join(' && ');
  const options = EXCLUDED.map((path) => `--dpkgopt=path-exclude=${path}`);
  // Half-made trees are thrown away: nothing needs to reach the disk in time.
  options.push(
    '--dpkgopt=force-unsafe-io',
    '--variant=essential',
    `--include=${PACKAGES.join(',')}`,
    `--customize-hook=${fetchKernel}`,
  );
  const source = `deb [signed-by=${KEYRING}] ${mirror} ${RELEASE} main`;
  const isolated = [
    '--pdeathsig',
    'KILL',
    '--',
    'unshare',
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
  ];
  runToolQuietly('setpriv', [...isolated, 'mmdebstrap', '--mode=root', ...options, RELEASE, root, source]);
}

/**
 * @param {string} unpacked the kernel's package
 * @param {string} root
 * @param {string} destination of the kernel itself
 * @returns {void}
 */
function placeKernel(unpacked, root, destination) {
  const kernels = readdirSync(join(unpacked, 'boot')).filter((name) => name.startsWith('vmlinuz-'));
  const [kernel] = kernels;
  if (kernel === undefined) throw new SetupError(`${KERNEL} holds no kernel`);
  const version = kernel.slice('vmlinuz-'.length);
  renameSync(join(unpacked, 'boot', kernel), destination);
  const places = ['usr/lib/modules', 'lib/modules'].map((path) => join(unpacked, path, version));
  const modules = places.find((path) => existsSync(path));
  if (modules === undefined) throw new SetupError(`${KERNEL} holds no modules`);
  cpSync(modules, join(root, 'usr/lib/modules', version), { recursive: true, verbatimSymlinks: true });
  runTool('chroot', [root, '/usr/sbin/depmod', version]);
}

/**
 * @param {string} root
 * @returns {void}
 */
function configure(root) {
  cpSync(inCheckout('test/vm/rootfs'), root, { recursive: true });
  // A fixed identity: without one systemd takes every boot for the first of a new machine.
  writeFileSync(join(root, 'etc/machine-id'), `${createHash('md5').update('agent-spawn').digest('hex')}\n`);
  // Without a directory for it the journal stays in memory.
  rmSync(join(root, 'var/log/journal'), { recursive: true, force: true });
  // Says that nothing in /usr is newer than what was generated from it: caches are not made again at boot.
  for (const path of ['etc/.updated', 'var/.updated']) writeFileSync(join(root, path), '');
  const units = join(root, 'etc/systemd/system');
  for (const unit of MASKED) symlinkSync('/dev/null', join(units, unit));
  mkdirSync(join(units, 'multi-user.target.wants'), { recursive: true });
  symlinkSync('../vm-command.service', join(units, 'multi-user.target.wants/vm-command.service'));
  rmSync(join(units, 'default.target'), { force: true });
  symlinkSync('/usr/lib/systemd/system/multi-user.target', join(units, 'default.target'));
}

/**
 * @param {string} made
 * @param {string} directory
 * @returns {void}
 */
function publish(made, directory) {
  try {
    renameSync(made, directory);
  } catch (error) {
    // Another run was faster with the same recipe.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  }
}

if (isCommand(import.meta.url)) {
  await runCommand(async () => {
    const { disk, kernel } = ensureImage();
    process.stdout.write(`${disk}\n${kernel}\n`);
    return 0;
  });
}
