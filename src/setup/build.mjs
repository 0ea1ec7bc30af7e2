import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { inCheckout } from './checkout.mjs';
import { findKoffiNative, KOFFI_NATIVE, koffiLoader } from './koffi-loader.mjs';
import { placeFile } from './place.mjs';
import { isCommand, report, runCommand, SetupError } from './report.mjs';
import { fingerprint, readStamp } from './stamp.mjs';

/** The programs; each is bundled from `src/main/<name>.ts` to `dist/<name>.cjs`. */
export const PROGRAMS = ['agent-spawn', 'agentctl', 'agent-spawnd', 'agent-egressd', 'card-check', 'private-host'];

/** Programs whose start-up time a person waits for. */
const COMMANDS = ['agent-spawn', 'agentctl', 'card-check'];

/** Shells that `agentctl completion` knows. */
export const SHELLS = ['bash', 'zsh', 'fish'];

/** What a bundle is made from. Pinned modules change only together with the lock file. */
const INPUTS = ['src', 'schema', 'package-lock.json', 'tsconfig.json'];
const STAMP = 'dist/.stamp';

/** Native helpers that dbus-next would like for passing descriptors and X11; neither is used or installed. */
const ABSENT_MODULES = ['usocket', 'x11'];

/**
 * @returns {boolean} whether a source is newer than the bundles
 */
export function areBundlesStale() {
  return readStamp(STAMP) !== fingerprint(INPUTS);
}

/**
 * Bundles the programs into dist/ when an input changed since the last time. Every file is put in place by a rename,
 * so that a program that starts meanwhile sees the old bundle or the new one.
 * @returns {Promise<boolean>} whether anything was built
 */
export async function buildBundles() {
  const inputs = fingerprint(INPUTS);
  if (readStamp(STAMP) === inputs) return false;
  const programs = PROGRAMS.filter((name) => existsSync(inCheckout('src/main', `${name}.ts`)));
  for (const name of PROGRAMS) {
    if (!programs.includes(name)) report(`src/main/${name}.ts does not exist; skipped`);
  }
  report(`bundling ${programs.join(', ')}`);
  const commands = programs.filter((name) => COMMANDS.includes(name));
  const services = programs.filter((name) => !COMMANDS.includes(name));
  await Promise.all([bundle(commands, true), bundle(services, false)]);
  installKoffiNative();
  writeCompletions();
  placeFile(inCheckout(STAMP), inputs);
  return true;
}

/**
 * @param {readonly string[]} programs
 * @param {boolean} isSmall written to be read quickly by Node, not by people who look at a stack
 * @returns {Promise<void>}
 */
async function bundle(programs, isSmall) {
  const esbuild = await import('esbuild');
  const result = await esbuild
    .build({
      absWorkingDir: inCheckout(),
      entryPoints: programs.map((name) => `src/main/${name}.ts`),
      outdir: 'dist',
      outExtension: { '.js': '.cjs' },
      bundle: true,
      write: false,
      platform: 'node',
      format: 'cjs',
      target: 'node20.11',
      minifySyntax: true,
      minifyWhitespace: isSmall,
      // Names are not shortened; keeping those of functions that esbuild moves costs a call for each closure made.
      keepNames: false,
      legalComments: 'none',
      external: ABSENT_MODULES,
      plugins: [koffiLoader],
      banner: { js: '#!/usr/bin/env node' },
      // A CommonJS bundle has neither import.meta nor top-level await: what uses them works from build/ only.
      logOverride: { 'empty-import-meta': 'error' },
    })
    .catch((error) => {
      throw Array.isArray(error.errors) ? new SetupError(`bundling failed with ${error.errors.length} errors`) : error;
    });
  for (const file of result.outputFiles) placeFile(file.path, file.contents, 0o755);
}

/** @returns {void} */
function installKoffiNative() {
  const native = findKoffiNative();
  if (native === undefined) {
    throw new SetupError(`koffi has no native module for ${process.platform} on ${process.arch}`);
  }
  placeFile(inCheckout('dist', KOFFI_NATIVE), readFileSync(native));
}

/**
 * Completions are printed by the built program itself, so that they cannot drift from its options.
 * @returns {void}
 */
function writeCompletions() {
  if (!existsSync(inCheckout('dist/agentctl.cjs'))) return;
  for (const shell of SHELLS) {
    const printed = spawnSync(process.execPath, [inCheckout('dist/agentctl.cjs'), 'completion', shell], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    if (printed.status === 0) placeFile(inCheckout('dist/completions', shell), printed.stdout);
    else report(`agentctl prints no completion for ${shell}; skipped`);
  }
}

if (isCommand(import.meta.url)) {
  await runCommand(async () => {
    if (!(await buildBundles())) report('dist/ is up to date');
    return 0;
  });
}
