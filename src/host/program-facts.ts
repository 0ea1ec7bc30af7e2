import { lstat, open, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { SEARCH_MATCHES_MAX } from '../base/limits.ts';
import type { ProgramFacts, ProgramQuery } from '../plan/facts.ts';
import { unless } from './call-failed.ts';
import { prefixesOf, probeAncestors } from './path-facts.ts';
import { parseShebang, SHEBANG_BYTES_MAX } from './shebang.ts';

/** Interpreters of interpreters that are followed; the kernel stops at the same depth (exec_binprm, fs/exec.c). */
const INTERPRETERS_MAX = 5;
/** Largest package.json read, bytes; the largest in the field are some tens of thousands. */
const PACKAGE_BYTES_MAX = 1024 * 1024;

const ABSENT = ['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'ENAMETOOLONG'];

/** Looks a program up; null when it is nowhere, or a script whose interpreter is nowhere. */
export async function probeProgram(query: ProgramQuery): Promise<ProgramFacts | null> {
  return find(query.name, query.directories, INTERPRETERS_MAX);
}

async function find(name: string, directories: readonly string[], depth: number): Promise<ProgramFacts | null> {
  if (depth === 0 || name === '' || name.includes('\0')) return null;
  if (name.startsWith('/')) return inspect(name, directories, depth);
  if (name.includes('/') || name === '.' || name === '..') return null;
  for (const pattern of directories) {
    for (const directory of await expandPattern(pattern)) {
      const found = await inspect(join(directory, name), directories, depth);
      if (found !== null) return found;
    }
  }
  return null;
}

/** Facts about one candidate, or null when it is no program. */
async function inspect(path: string, directories: readonly string[], depth: number): Promise<ProgramFacts | null> {
  const realPath = await unless(ABSENT, realpath(path));
  if (realPath === null) return null;
  const file = await stat(realPath);
  if (!file.isFile() || (file.mode & 0o111) === 0) return null;
  const [directory, start, packageDirectory, ancestors] = await Promise.all([
    realpath(dirname(path)),
    readStart(realPath),
    findPackage(realPath),
    probeAncestors(realPath),
  ]);
  const shebang = parseShebang(start);
  const interpreter = shebang === null ? null : await find(shebang.interpreter, directories, depth - 1);
  if (shebang !== null && interpreter === null) return null;
  return { path, namedPath: join(directory, basename(path)), realPath, packageDirectory, ancestors, interpreter };
}

/** Directories a pattern stands for, the newest version first: `*` is one whole component, hidden names excepted. */
export async function expandPattern(pattern: string): Promise<readonly string[]> {
  let found = ['/'];
  for (const part of pattern.split('/').slice(1)) {
    if (part !== '*') {
      found = found.map((directory) => join(directory, part));
      continue;
    }
    const listed = await Promise.all(found.map(subdirectories));
    found = listed.flat().slice(0, SEARCH_MATCHES_MAX);
  }
  return found;
}

const BY_VERSION = new Intl.Collator('en', { numeric: true });

async function subdirectories(directory: string): Promise<string[]> {
  const entries = (await unless(ABSENT, readdir(directory, { withFileTypes: true }))) ?? [];
  return entries
    .filter((entry) => !entry.name.startsWith('.') && (entry.isDirectory() || entry.isSymbolicLink()))
    .map((entry) => entry.name)
    .sort((a, b) => BY_VERSION.compare(b, a))
    .map((name) => join(directory, name));
}

/**
 * The package a program belongs to: the nearest directory above it with a
 * package.json that either lies in node_modules or names the program in `bin`.
 * Any other package.json proves nothing: one in a home directory would make
 * all of it the program's package.
 */
async function findPackage(realPath: string): Promise<string | null> {
  const directories = prefixesOf(dirname(realPath)).slice(1).reverse();
  const manifests = await Promise.all(directories.map((directory) => readManifest(join(directory, 'package.json'))));
  return (
    directories.find((directory, index) => {
      const manifest = manifests[index] ?? null;
      return manifest !== null && (isInstalled(directory) || namesProgram(manifest, directory, realPath));
    }) ?? null
  );
}

function isInstalled(directory: string): boolean {
  const above = dirname(directory);
  const holder = basename(above).startsWith('@') ? dirname(above) : above;
  return basename(holder) === 'node_modules';
}

function namesProgram(manifest: unknown, directory: string, realPath: string): boolean {
  if (typeof manifest !== 'object' || manifest === null || !('bin' in manifest)) return false;
  const { bin } = manifest;
  const files = typeof bin === 'string' ? [bin] : typeof bin === 'object' && bin !== null ? Object.values(bin) : [];
  return files.some((file) => typeof file === 'string' && resolve(directory, file) === realPath);
}

async function readManifest(path: string): Promise<unknown> {
  const file = await unless(ABSENT, lstat(path));
  if (file === null || !file.isFile() || file.size > PACKAGE_BYTES_MAX) return null;
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return null;
  }
}

async function readStart(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(SHEBANG_BYTES_MAX), 0, SHEBANG_BYTES_MAX, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
