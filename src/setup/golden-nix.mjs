import { readdirSync, rmdirSync, rmSync } from 'node:fs';
import { inCheckout } from './checkout.mjs';
import { nixFiles } from './generate-nix.mjs';
import { evaluate, GOLDENS, goldens } from './nix-evaluation.mjs';
import { placeFile } from './place.mjs';
import { isCommand, report, runCommand } from './report.mjs';
import { listFiles } from './stamp.mjs';

/**
 * Records what nix/evaluation comes to, and removes what it comes to no longer.
 * @returns {void}
 */
function rewrite() {
  const evaluation = evaluate(process.env);
  const files = goldens(evaluation);
  const paths = new Set(files.map(({ path }) => path));
  for (const path of listFiles(GOLDENS)) if (!paths.has(path)) rmSync(inCheckout(path));
  for (const { path, text } of files) placeFile(inCheckout(path), text);
  removeEmpty(inCheckout(GOLDENS));
  // The reference is made from what was recorded just now.
  for (const { path, text } of nixFiles()) placeFile(inCheckout(path), text);
  report(`wrote ${files.length} files below ${GOLDENS}`);
  for (const [sentence, value] of Object.entries(evaluation.checks)) {
    if (value !== true) report(`does not hold: ${sentence}: ${JSON.stringify(value)}`);
  }
}

/**
 * @param {string} directory absolute; it and those below go when nothing is in them
 * @returns {void}
 */
function removeEmpty(directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmpty(`${directory}/${entry.name}`);
  }
  if (readdirSync(directory).length === 0) rmdirSync(directory);
}

if (isCommand(import.meta.url)) {
  await runCommand(async () => {
    rewrite();
    return 0;
  });
}
