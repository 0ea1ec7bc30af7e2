import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { succeed } from './agents.ts';
import { CHECKOUT } from './checkout.ts';
import { runCommand } from './commands.ts';

/** Where NixOS keeps the present generation's /etc; names in the real one are links into it. */
const STATIC = '/etc/static';

/** Group of Nix's builders (nixos/modules/misc/ids.nix). */
const NIXBLD_GID = 30_000;

/** A path of a recorded machine, and the file of /etc that NixOS makes of it. */
const PLACES: readonly (readonly [recorded: string, place: string])[] = [
  ['etc', '.'],
  ['units', 'systemd/system'],
];

/**
 * Machines that nix/golden records, put into /etc of this host, which must be a private one, in the way NixOS does it:
 * the files lie in a store, `/etc/static` is a link to one generation of them, and each name in /etc is a link through
 * that one. Units and programs are those that are installed here.
 */
export class Generations {
  readonly #store: string;
  readonly #links = new Set<string>();
  readonly #directories: string[] = [];

  private constructor(store: string) {
    this.#store = store;
  }

  static open(): Generations {
    const store = mkdtempSync('/run/as-test-store-');
    // As /nix/store: builders belong to a group that may write, and cannot move what is root's.
    chownSync(store, 0, NIXBLD_GID);
    chmodSync(store, 0o1775);
    return new Generations(store);
  }

  /** Makes a recorded machine the present generation; links of the one before that lead nowhere now are taken away. */
  async activate(name: string): Promise<void> {
    const generation = this.#build(name);
    symlinkSync(generation, `${STATIC}.new`);
    renameSync(`${STATIC}.new`, STATIC);
    for (const path of namesBelow(generation)) this.#link(path);
    for (const path of this.#links) {
      if (existsSync(join('/etc', path))) continue;
      rmSync(join('/etc', path), { force: true });
      this.#links.delete(path);
    }
    await succeed(runCommand(['systemctl', 'daemon-reload']));
  }

  /** What a boot of a recorded machine starts: `TARGET.wants/UNIT` each, as links of `systemctl enable` are named. */
  static wants(name: string): readonly string[] {
    const lines = readFileSync(join(CHECKOUT, 'nix/golden', name, 'wanted.txt'), 'utf8').split('\n');
    return lines.flatMap((line) => {
      const [unit = '', targets = ''] = line.split(' by ');
      return targets.split(' ').flatMap((target) => (target === '' ? [] : [`${target}.wants/${unit}`]));
    });
  }

  /** Takes everything away. */
  async close(): Promise<void> {
    for (const path of this.#links) rmSync(join('/etc', path), { force: true });
    for (const directory of this.#directories.reverse()) rmSync(directory, { recursive: true, force: true });
    rmSync(STATIC, { force: true });
    rmSync(this.#store, { recursive: true, force: true });
    await succeed(runCommand(['systemctl', 'daemon-reload']));
  }

  /** Lays a recorded machine out in the store, read-only as everything there. */
  #build(name: string): string {
    const recorded = join(CHECKOUT, 'nix/golden', name);
    const generation = join(this.#store, `${name}-etc`);
    for (const [from, to] of PLACES) {
      if (!existsSync(join(recorded, from))) continue;
      mkdirSync(dirname(join(generation, to)), { recursive: true });
      cpSync(join(recorded, from), join(generation, to), { recursive: true });
    }
    for (const path of namesBelow(generation)) chmodSync(join(generation, path), 0o444);
    return generation;
  }

  #link(path: string): void {
    const place = join('/etc', path);
    for (let parent = dirname(place); !existsSync(parent); parent = dirname(parent)) this.#directories.unshift(parent);
    mkdirSync(dirname(place), { recursive: true, mode: 0o755 });
    if (lstatSync(place, { throwIfNoEntry: false }) !== undefined) return;
    symlinkSync(join(STATIC, path), place);
    this.#links.add(path);
  }
}

/** Files below a directory, relative to it. */
function namesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(
    (path) => !lstatSync(join(directory, path)).isDirectory(),
  );
}
