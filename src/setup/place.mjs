import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Puts a file in place by a rename: a program that starts meanwhile sees the old file or the new one, never half of it.
 * Directories above it are made with the mode 0755, whatever the umask.
 * @param {string} path absolute
 * @param {string | Uint8Array | Buffer} contents
 * @param {number} [mode]
 * @returns {void}
 */
export function placeFile(path, contents, mode = 0o644) {
  withUmask(() => {
    mkdirSync(dirname(path), { recursive: true });
    const temporary = temporaryName(path);
    writeFileSync(temporary, /** @type {any} */ (contents), { mode });
    renameSync(temporary, path);
  });
}

/**
 * Puts a symbolic link in place by a rename.
 * @param {string} path absolute
 * @param {string} target as written into the link
 * @returns {void}
 */
export function placeLink(path, target) {
  withUmask(() => {
    mkdirSync(dirname(path), { recursive: true });
    const temporary = temporaryName(path);
    rmSync(temporary, { force: true });
    symlinkSync(target, temporary);
    renameSync(temporary, path);
  });
}

/**
 * @param {string} path
 * @returns {string} a name in the same directory that no other process uses
 */
function temporaryName(path) {
  return `${path}.${process.pid}.tmp`;
}

/**
 * @param {() => void} body
 * @returns {void}
 */
function withUmask(body) {
  const before = process.umask(0o022);
  try {
    body();
  } finally {
    process.umask(before);
  }
}
