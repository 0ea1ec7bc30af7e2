import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { inCheckout } from './checkout.mjs';
import { SetupError } from './report.mjs';
import { listFiles } from './stamp.mjs';

/** Where what an evaluation came to is recorded. */
export const GOLDENS = 'nix/golden';

/** The record of what was read for it, in the form of sha256sum. */
const INPUTS = `${GOLDENS}/inputs.sha256`;

/** What the evaluation reads of the checkout. */
const READ = ['nix/evaluation', 'nix/lib', 'nix/module', 'nix/overlay.nix', 'nix/package.nix'];

/** What it reads, too, and what decides about paths of the store alone, which are recorded without their hashes. */
export const PATHS_ONLY = ['nix/node-modules.nix'];

/** What an evaluation prints, bytes; a hundred machines would be a tenth of it. */
const OUTPUT_MAX = 64 * 1024 * 1024;

/**
 * What nix/evaluation comes to.
 * @typedef {object} Evaluation
 * @property {Record<string, string>} files texts by their path below nix/golden
 * @property {Record<string, unknown>} checks sentences; each holds when its value is true
 * @property {any[]} options of services.agent-spawn, as nixpkgs describes options
 * @property {string[]} read files of the checkout that were evaluated
 */

/** Words of the command line that every call needs: nothing is built, and no store is looked at. */
const STORELESS = ['--extra-experimental-features', 'nix-command', '--store', 'dummy://', 'eval', '--read-only'];

/** What Nix says of each file that it evaluates, when it is asked to. */
const READING = /^evaluating file '([^']*)'\n/gm;

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | undefined} why nothing can be evaluated here, a sentence; undefined when something can
 */
export function whyNotEvaluated(env) {
  const { NIXPKGS: nixpkgs = '', NIX: program = 'nix' } = env;
  if (!existsSync(`${nixpkgs}/nixos/lib/eval-config.nix`))
    return 'Nothing of NixOS was evaluated, because NIXPKGS names no tree of nixpkgs.';
  // One of the functions that nixpkgs needs and older programs do not have.
  const probe = spawnSync(program, [...STORELESS, '--expr', 'builtins ? readFileType'], { encoding: 'utf8', env });
  if (probe.stdout?.trim() === 'true') return undefined;
  return 'Nothing of NixOS was evaluated, because there is no Nix that is new enough for nixpkgs; NIX can name one.';
}

/**
 * Evaluates nix/evaluation with the tree of nixpkgs and the program that the environment names.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Evaluation}
 * @throws {SetupError} with what Nix said, or why it was not asked
 */
export function evaluate(env) {
  const why = whyNotEvaluated(env);
  if (why !== undefined) throw new SetupError(why);
  const { value, messages } = call('nix/evaluation', '{ }', env);
  const read = [...messages.matchAll(READING)].map(([, path = '']) => path);
  const own = read.filter((path) => path.startsWith(inCheckout('/')));
  return { ...value, read: own.map((path) => path.slice(inCheckout('/').length)) };
}

/**
 * The value of a function of the checkout that takes nixpkgs from the search path.
 * @param {string} path relative to the checkout
 * @param {string} argument an expression
 * @param {NodeJS.ProcessEnv} env
 * @returns {{ value: any, messages: string }} and what Nix said meanwhile
 * @throws {SetupError} with what Nix said
 */
export function call(path, argument, env) {
  const { NIXPKGS: nixpkgs = '', NIX: program = 'nix' } = env;
  const paths = ['-I', `nixpkgs=${nixpkgs}`, '-I', `function=${inCheckout(path)}`];
  const words = [...STORELESS, '--impure', '--json', '--verbose', ...paths, '--expr', `import <function> ${argument}`];
  const ended = spawnSync(program, words, { encoding: 'utf8', env, maxBuffer: OUTPUT_MAX });
  if (ended.status === 0) return { value: JSON.parse(ended.stdout), messages: ended.stderr };
  throw new SetupError(`${path}:\n${ended.error?.message ?? ended.stderr.replace(READING, '')}`);
}

/**
 * @returns {string[]} files of the checkout on which what is recorded depends
 */
export function inputs() {
  return READ.flatMap(listFiles);
}

/**
 * @returns {{ path: string, text: string }} the record of what the evaluation reads, as it is now
 */
export function recordOfInputs() {
  const lines = inputs().map((path) => {
    const hash = createHash('sha256').update(readFileSync(inCheckout(path)));
    return `${hash.digest('hex')}  ${path}\n`;
  });
  return { path: INPUTS, text: lines.join('') };
}

/**
 * @param {Evaluation} evaluation
 * @returns {{ path: string, text: string }[]} everything that is recorded of it, paths relative to the checkout
 */
export function goldens({ files, options }) {
  const texts = Object.entries(files).map(([path, text]) => ({
    path: `${GOLDENS}/${path}`,
    text: path.endsWith('.json') ? json(JSON.parse(anywhere(text))) : anywhere(text),
  }));
  const described = options.filter(isShown).map(({ name, type, description, default: fallback, example }) => ({
    name,
    type,
    default: fallback?.text,
    example: example?.text,
    description,
  }));
  const reference = { path: `${GOLDENS}/options.json`, text: anywhere(json(described)) };
  return [...texts, reference, recordOfInputs()];
}

/**
 * @param {any} option
 * @returns {boolean} whether a user has anything to do with it
 */
function isShown({ name, internal, visible }) {
  return !internal && visible !== false && !name.includes('._module.');
}

/**
 * @param {unknown} value
 * @returns {string}
 */
function json(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/**
 * @param {string} text
 * @returns {string} without what differs from one evaluation to the next: hashes and versions in paths of the store
 */
function anywhere(text) {
  return text
    .replace(/\/nix\/store\/(?:[a-z0-9]{32}|@)-([\w+.]+(?:-[A-Za-z][\w+.]*)*)(?:-\d[\w+.-]*)?/g, '/nix/store/@-$1')
    .replaceAll(inCheckout('/'), '');
}
