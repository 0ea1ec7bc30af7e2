import { execFileSync } from 'node:child_process';
import { CHECKOUT } from './checkout.ts';

/** What Nix prints of a few thousand lines of source, bytes. */
const OUTPUT_MAX = 64 * 1024 * 1024;

/**
 * Runs `nix-instantiate` without a store: nothing is built, and nothing is written to /nix.
 *
 * @throws Error with what it said when it does not succeed
 */
export function nixInstantiate(args: readonly string[]): string {
  return execFileSync('nix-instantiate', ['--store', 'dummy://', ...args], {
    cwd: CHECKOUT,
    encoding: 'utf8',
    maxBuffer: OUTPUT_MAX,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** The value of an expression that needs neither nixpkgs nor a store. */
export function evaluateNix(expression: string): unknown {
  return JSON.parse(nixInstantiate(['--eval', '--strict', '--json', '--expr', expression]));
}
