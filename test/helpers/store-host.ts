import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { succeed } from './agents.ts';
import { CHECKOUT } from './checkout.ts';
import { runCommand } from './commands.ts';

/** The gid of Nix's builders on NixOS (nixos/modules/misc/ids.nix). */
const BUILDERS = 30_000;

const STORE = '/nix/store';
const SYSTEM = '/run/current-system';
const UNITS = '/etc/systemd/system';

/** Commands that scripts and programs of ours start; each is copied into the store. */
const TOOLS = [
  ...['awk', 'bwrap', 'cat', 'cut', 'find', 'flock', 'getent', 'grep', 'head', 'ip', 'journalctl', 'mkfifo', 'nft'],
  ...['rm', 'sleep', 'sort', 'systemctl', 'systemd-creds', 'systemd-notify', 'tr'],
];
const RELAY = 'systemd/systemd-socket-proxyd';

/** Those that only the store has while this lasts: whoever looked for them in `/usr` would find nothing. */
const TAKEN_AWAY = ['bwrap', 'flock', 'ip', 'journalctl', 'nft', 'systemd-notify'];

/** Where a thing of this name lies in the store. */
export function storePath(name: string): string {
  return `${STORE}/${createHash('sha256').update(name).digest('hex').slice(0, 32)}-${name}`;
}

/**
 * A Debian host that is arranged as NixOS is, until it is closed: agent-spawn
 * and what it runs are in a read-only store and nowhere else, the system that
 * runs is a link into it, units and parts of `/etc` are links. It must be a host
 * that nobody needs: what of it is not in memory is put back at the end.
 */
export class StoreHost implements AsyncDisposable {
  #prefix = storePath('agent-spawn-0.1.0');
  readonly #path = process.env['PATH'] ?? '';
  readonly #undo: (() => unknown)[] = [];
  #tools: readonly string[] = [];

  /** The installed package. */
  get prefix(): string {
    return this.#prefix;
  }

  /** `programs` are scripts of the system's profile by their names. */
  static async open(programs: Readonly<Record<string, string>>): Promise<StoreHost> {
    const host = new StoreHost();
    try {
      await host.#arrange(programs);
      return host;
    } catch (error) {
      await host[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Puts everything back, the last thing first. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const undo of this.#undo.splice(0).reverse()) await undo();
  }

  /** Makes another system the one that runs, as `nixos-rebuild switch` does. */
  switchSystem(name: string, programs: Readonly<Record<string, string>>): void {
    const [system, profile] = [storePath(`nixos-system-${name}`), storePath(`system-path-${name}`)];
    addFile('locales', 'lib/locale/locale-archive', 'locales');
    mkdirSync(join(profile, 'lib'), { recursive: true });
    symlinkSync(join(storePath('locales'), 'lib/locale'), join(profile, 'lib/locale'));
    for (const [program, text] of Object.entries(programs)) {
      addFile(program, `bin/${program}`, text);
      mkdirSync(join(profile, 'bin'), { recursive: true });
      symlinkSync(join(storePath(program), 'bin', program), join(profile, 'bin', program));
    }
    mkdirSync(system);
    symlinkSync(profile, join(system, 'sw'));
    const next = `${SYSTEM}.next`;
    symlinkSync(system, next);
    renameSync(next, SYSTEM);
  }

  /** Installs another package, makes it the one that runs, and removes the one before, as a switch and a garbage collection do. */
  async replacePackage(name: string): Promise<void> {
    const before = this.#prefix;
    this.#prefix = storePath(name);
    await this.#installPackage();
    const packaged = join(this.#prefix, 'lib/systemd/system');
    for (const unit of readdirSync(packaged)) {
      rmSync(join(UNITS, unit));
      symlinkSync(join(packaged, unit), join(UNITS, unit));
    }
    await run('systemctl', 'daemon-reload');
    await run('systemctl', 'restart', 'agent-spawnd.service');
    rmSync(before, { recursive: true });
  }

  /** Runs with a store that can be written to, as the builder of Nix does. */
  async withOpenStore<T>(body: () => T | Promise<T>): Promise<T> {
    await run('mount', '-o', 'remount,bind,rw', STORE);
    try {
      return await body();
    } finally {
      await run('mount', '-o', 'remount,bind,ro', STORE);
    }
  }

  async #arrange(programs: Readonly<Record<string, string>>): Promise<void> {
    await this.#do(
      () => setUp('uninstall-system', '--force'),
      () => setUp('install-system'),
    );
    await this.#makeStore();
    this.switchSystem('first', programs);
    this.#undo.push(() => rmSync(SYSTEM));
    await this.#linkEtc();
    this.#tools = this.#copyTools();
    await this.#installPackage();
    await this.#do(
      async () => {
        await run('mount', '--bind', STORE, STORE);
        await run('mount', '-o', 'remount,bind,ro', STORE);
      },
      () => run('umount', STORE),
    );
    this.#undo.push(() => {
      process.env['PATH'] = this.#path;
    });
    for (const name of TAKEN_AWAY) this.#takeAway(findProgram(name));
    this.#takeAway(`/usr/lib/${RELAY}`);
    await this.#startUnits();
  }

  /** In memory, so that nothing of it stays; its mode and group are those of NixOS. */
  async #makeStore(): Promise<void> {
    const isNew = !existsSync('/nix');
    if (isNew) mkdirSync('/nix');
    this.#undo.push(() => isNew && rmdirSync('/nix'));
    await this.#do(
      () => run('mount', '-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', '/nix'),
      () => run('umount', '/nix'),
    );
    mkdirSync(STORE);
    chownSync(STORE, 0, BUILDERS);
    chmodSync(STORE, 0o1775);
    mkdirSync('/nix/var/nix/daemon-socket', { recursive: true });
  }

  /** Certificates and time zones are links to links, as all of `/etc` is on NixOS. */
  async #linkEtc(): Promise<void> {
    addFile('cacert', 'ca-bundle.crt', 'certificates of the store\n');
    addFile('tzdata', 'share/zoneinfo/Etc/UTC', 'TZif');
    const etc = join(storePath('etc'), 'etc');
    mkdirSync(join(etc, 'ssl/certs'), { recursive: true });
    symlinkSync(join(storePath('cacert'), 'ca-bundle.crt'), join(etc, 'ssl/certs/ca-certificates.crt'));
    symlinkSync(join(storePath('tzdata'), 'share/zoneinfo'), join(etc, 'zoneinfo'));
    this.#link(etc, '/etc/static');
    this.#link('/etc/static/zoneinfo', '/etc/zoneinfo');
    await this.#do(
      () => run('mount', '-t', 'tmpfs', 'tmpfs', '/etc/ssl/certs'),
      () => run('umount', '/etc/ssl/certs'),
    );
    this.#link('/etc/static/ssl/certs/ca-certificates.crt', '/etc/ssl/certs/ca-certificates.crt');
  }

  #copyTools(): readonly string[] {
    const commands = join(storePath('tools'), 'bin');
    const private_ = join(storePath('systemd'), 'lib/systemd');
    for (const directory of [commands, private_]) mkdirSync(directory, { recursive: true });
    for (const name of TOOLS) copyFileSync(realpathSync(findProgram(name)), join(commands, name));
    copyFileSync(`/usr/lib/${RELAY}`, join(private_, basename(RELAY)));
    return [commands, private_];
  }

  async #installPackage(): Promise<void> {
    const named = this.#tools.flatMap((directory) => ['--tools', directory]);
    await setUp('install-system', '--package', '--prefix', this.prefix, ...named);
    process.env['PATH'] = [join(this.prefix, 'bin'), ...this.#tools, this.#path].join(':');
  }

  /** NixOS links the units of its packages and starts them at each switch. */
  async #startUnits(): Promise<void> {
    const packaged = join(this.prefix, 'lib/systemd/system');
    for (const unit of readdirSync(packaged)) this.#link(join(packaged, unit), join(UNITS, unit));
    await run('systemd-sysusers', join(this.prefix, 'lib/sysusers.d/agent-spawn.conf'));
    await run('systemd-tmpfiles', '--create', join(this.prefix, 'lib/tmpfiles.d/agent-spawn.conf'));
    const units = ['agent-spawnd.socket', 'agent-egressd.socket', 'agent-spawnd.service'];
    await this.#do(
      async () => {
        await run('systemctl', 'daemon-reload');
        await run('systemctl', 'start', ...units);
      },
      () => run('systemctl', 'stop', ...units, 'agent-egressd.service', 'agents.slice'),
    );
  }

  #takeAway(path: string): void {
    renameSync(path, `${path}.away`);
    this.#undo.push(() => renameSync(`${path}.away`, path));
  }

  #link(target: string, path: string): void {
    symlinkSync(target, path);
    this.#undo.push(() => rmSync(path));
  }

  async #do(action: () => Promise<unknown>, undo: () => Promise<unknown>): Promise<void> {
    this.#undo.push(undo);
    await action();
  }
}

/** Puts a file into the store, open to be read and run as everything there. */
function addFile(name: string, path: string, text: string): void {
  const file = join(storePath(name), path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode: 0o755 });
}

/** A command where Debian has it. */
function findProgram(name: string): string {
  const found = ['/usr/bin', '/usr/sbin'].map((directory) => join(directory, name)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`there is no ${name} on this host`);
  return found;
}

function setUp(command: string, ...words: readonly string[]): Promise<unknown> {
  return run(process.execPath, join(CHECKOUT, `src/setup/${command}.mjs`), ...words);
}

function run(...argv: readonly string[]): Promise<unknown> {
  return succeed(runCommand(argv));
}
