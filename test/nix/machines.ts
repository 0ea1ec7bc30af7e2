import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKOUT } from '../helpers/checkout.ts';

const GOLDENS = join(CHECKOUT, 'nix/golden');

/** A machine whose evaluation is recorded. */
export interface Machine {
  readonly name: string;
  /** Absolute path of what is recorded of it. */
  readonly directory: string;
  /** What is recorded, relative to that. */
  readonly files: readonly string[];
}

/** The recorded machines. */
export function listMachines(): readonly Machine[] {
  const names = readdirSync(GOLDENS).filter((name) => statSync(join(GOLDENS, name)).isDirectory());
  return names.sort().map((name) => {
    const directory = join(GOLDENS, name);
    const all = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
    return { name, directory, files: all.filter((path) => statSync(join(directory, path)).isFile()) };
  });
}

/** Text of a recorded file. */
export function readRecorded(machine: Machine, path: string): string {
  return readFileSync(join(machine.directory, path), 'utf8');
}
