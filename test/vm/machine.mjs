import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { QEMU } from './tools.mjs';

/** @typedef {import('node:stream').Readable} Readable */

const MEMORY_MIB = 1536;
const CONSOLE_LINES = 60;

/** What firmware and PID 1 write to a console beside text. */
const TERMINAL_CODES = /\x1b(?:\[[!-?]*[@-~]|[^[])/g;

/**
 * No initial ramdisk, no network, no console messages but warnings; `panic=-1` with `-no-reboot` ends the emulator.
 * Mitigations against speculation protect nobody here and cost time. On a busy machine the emulated timer is late, which
 * the kernel would take for a broken one.
 */
const KERNEL_ARGUMENTS = [
  ...['console=ttyS0', 'root=/dev/nvme0n1', 'rw', 'quiet', 'panic=-1', 'mitigations=off'],
  ...[
    'no_timer_check',
    'systemd.show_status=no',
    'systemd.journald.forward_to_console=1',
    'systemd.journald.max_level_console=warning',
  ],
];

/** Ports of the VM in the order of the emulator's file descriptors, from 3. */
const PORTS = ['stdout', 'stderr', 'control'];

/**
 * A VM that is running.
 * @typedef {object} Machine
 * @property {Promise<void>} ended settles when the emulator is gone and all of its output was passed on
 * @property {() => void} kill
 * @property {() => string[]} consoleTail what the kernel, PID 1 and the emulator said last
 */

/**
 * Boots a VM. Its standard output and error go to ours as they come. The emulator dies with this process, however
 * that ends: the kernel kills it.
 * @param {{ image: import('./image.mjs').Image, payload: string, work: string }} files
 * @param {(line: string) => void} onControl called with each line that the guest says on its control port
 * @returns {Machine}
 */
export function startMachine({ image, payload, work }, onControl) {
  const console = join(work, 'console');
  const log = join(work, 'emulator.log');
  const output = openSync(log, 'w');
  const args = ['--pdeathsig', 'KILL', '--', QEMU, ...emulatorArguments(image, payload, console)];
  const child = spawn('setpriv', args, {
    stdio: ['ignore', output, output, 'pipe', 'pipe', 'pipe'],
    // The scratch file of the first disk is made there.
    env: { ...process.env, TMPDIR: work },
  });
  closeSync(output);
  const ports = /** @type {[Readable, Readable, Readable]} */ (/** @type {unknown} */ (child.stdio.slice(3)));
  ports[0].pipe(process.stdout, { end: false });
  ports[1].pipe(process.stderr, { end: false });
  createInterface({ input: ports[2] }).on('line', onControl);
  return {
    ended: new Promise((resolve, reject) => child.once('error', reject).once('close', () => resolve())),
    kill: () => void child.kill('SIGKILL'),
    consoleTail: () => [log, console].flatMap(lastLines),
  };
}

/**
 * @param {import('./image.mjs').Image} image
 * @param {string} payload
 * @param {string} console
 * @returns {string[]}
 */
function emulatorArguments(image, payload, console) {
  return [
    // Emulation even where hardware could help: /dev/kvm alone proves nothing, and one way is tested everywhere.
    ...['-machine', 'q35,sata=off,smbus=off,usb=off', '-accel', 'tcg,thread=multi'],
    // A plain processor costs a quarter less than `max`, whose wide vectors and page tables must be emulated too.
    ...['-cpu', 'Nehalem,+rdrand', '-smp', '2', '-m', String(MEMORY_MIB)],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-nic', 'none'],
    ...['-kernel', image.kernel, '-append', KERNEL_ARGUMENTS.join(' ')],
    ...['-serial', `file:${console}`],
    // The cached image stays as it is: what the VM writes to it goes to a scratch file.
    ...['-drive', `file=${escapeComma(image.disk)},if=none,id=root,format=raw,cache=unsafe,snapshot=on`],
    ...['-device', 'nvme,drive=root,serial=root'],
    // Of another kind than the first, so that the order in which the kernel finds disks does not matter.
    ...['-drive', `file=${escapeComma(payload)},if=none,id=payload,format=raw,cache=unsafe`],
    ...['-device', 'virtio-blk-pci,drive=payload,serial=payload'],
    ...['-device', 'virtio-serial-pci'],
    ...PORTS.flatMap((name, index) => [
      ...['-chardev', `socket,id=${name},fd=${index + 3}`],
      ...['-device', `virtserialport,chardev=${name},name=${name}`],
    ]),
  ];
}

/**
 * @param {string} path
 * @returns {string} the path as a value of an emulator option
 */
function escapeComma(path) {
  return path.replaceAll(',', ',,');
}

/**
 * @param {string} path
 * @returns {string[]}
 */
function lastLines(path) {
  const text = readFileSync(path, 'utf8').replace(TERMINAL_CODES, '');
  return text.split(/\r?\n/).filter(Boolean).slice(-CONSOLE_LINES);
}
