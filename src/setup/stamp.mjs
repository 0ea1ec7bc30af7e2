import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inCheckout } from './checkout.mjs';

/**
 * Everything below a directory, or the file itself, as sorted paths relative to the checkout.
 * @param {string} path relative to the checkout
 * @returns {string[]}
 */
export function listFiles(path) {
  const found = statSync(inCheckout(path), { throwIfNoEntry: false });
  if (found === undefined) return [];
  if (!found.isDirectory()) return [path];
  const files = [];
  for (const entry of readdirSync(inCheckout(path), { withFileTypes: true })) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) files.push(...listFiles(below));
    else if (entry.isFile()) files.push(below);
  }
  return files.sort();
}

/**
 * A digest of names, sizes and modification times: changes whenever an input was written, costs one stat a file.
 * @param {readonly string[]} paths files or directories relative to the checkout
 * @returns {string}
 */
export function fingerprint(paths) {
  const hash = createHash('sha256');
  for (const file of paths.flatMap(listFiles)) {
    const { size, mtimeMs } = statSync(inCheckout(file));
    hash.update(`${file}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/**
 * The text of a stamp file, or undefined when there is none.
 * @param {string} path relative to the checkout
 * @returns {string | undefined}
 */
export function readStamp(path) {
  try {
    return readFileSync(inCheckout(path), 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}
