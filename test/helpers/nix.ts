import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
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

/** Skips a test where nixpkgs or a Nix that is new enough for it is missing, and says so. */
export async function skipWithoutNixpkgs(context: TestContext): Promise<boolean> {
  const setup = pathToFileURL(join(CHECKOUT, 'src/setup/nix-evaluation.mjs')).href;
  const { whyNotEvaluated } = (await import(setup)) as {
    whyNotEvaluated: (env: NodeJS.ProcessEnv) => string | undefined;
  };
  const why = whyNotEvaluated(process.env);
  if (why !== undefined) context.skip(why);
  return why !== undefined;
}

/**
 * What a file that takes `nixpkgs` comes to, by the tree and the program that NIXPKGS and NIX name. Nothing is built.
 *
 * @throws Error with what Nix said when it does not succeed
 */
export function evaluateWithNixpkgs(file: string, paths: Readonly<Record<string, string>> = {}): unknown {
  const { NIXPKGS: nixpkgs = '', NIX: program = 'nix' } = process.env;
  const given = Object.entries(paths).map(([name, path]) => `${name} = ${path};`);
  const expression = `import ${join(CHECKOUT, file)} { ${given.join(' ')} }`;
  const storeless = ['--extra-experimental-features', 'nix-command', '--store', 'dummy://', 'eval', '--read-only'];
  const words = [...storeless, '--impure', '--json', '-I', `nixpkgs=${nixpkgs}`, '--expr', expression];
  const printed = execFileSync(program, words, {
    encoding: 'utf8',
    maxBuffer: OUTPUT_MAX,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return JSON.parse(printed);
}
