import { PATH_BYTES_MAX } from './limits.ts';

/** What keeps a path from being absolute and normal. */
export type PathFault =
  | 'empty'
  | 'relative'
  | 'control'
  | 'double-slash'
  | 'trailing-slash'
  | 'dot'
  | 'dot-dot'
  | 'too-long';

/**
 * Characters no path of ours may hold: controls of either kind, which break lines and terminals; line separators and
 * marks that turn the reading direction, which make a path look like another; halves of surrogate pairs, which no
 * file name can hold.
 */
const UNWANTED = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ud800-\udfff]/u;

/** The first thing wrong with a path, by its text alone, or null when it is absolute and normal. */
export function pathFault(path: string): PathFault | null {
  if (path === '') return 'empty';
  if (UNWANTED.test(path)) return 'control';
  if (!path.startsWith('/')) return 'relative';
  if (path === '/') return null;
  if (path.includes('//')) return 'double-slash';
  const names = path.slice(1).split('/');
  if (names.includes('..')) return 'dot-dot';
  if (names.includes('.')) return 'dot';
  if (path.endsWith('/')) return 'trailing-slash';
  return new TextEncoder().encode(path).length > PATH_BYTES_MAX ? 'too-long' : null;
}

/** Whether a path starts at the root and has no `.`, `..`, `//`, slash at the end or control character. */
export function isNormalAbsolute(path: string): boolean {
  return pathFault(path) === null;
}

/**
 * The absolute, normal form of an absolute path, by its text alone: `..` takes back the name before it, whatever that
 * is on a disk. For suggestions, never for opening anything.
 */
export function normalForm(path: string): string {
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return `/${names.join('/')}`;
}

/** Whether a path is a directory itself or lies below it. Both must be normal; anything is within `/` that is absolute. */
export function isWithin(path: string, directory: string): boolean {
  if (path === directory) return true;
  return path.startsWith(directory === '/' ? '/' : `${directory}/`);
}

/** The directory that holds a normal absolute path; that of `/` is `/`. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}

/** A path of a directory and names below it. The names must not start or end with a slash. */
export function joinPath(directory: string, ...names: readonly string[]): string {
  return [directory === '/' ? '' : directory, ...names].join('/');
}
