import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** Absolute path of the checkout, whether this runs from the sources or from build/. */
export const CHECKOUT: string = findCheckout(dirname(fileURLToPath(import.meta.url)));

/** One parsed file of the program. */
export interface SourceFile {
  /** Relative to the checkout, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
}

function findCheckout(directory: string): string {
  return existsSync(join(directory, 'package.json')) ? directory : findCheckout(dirname(directory));
}

/**
 * Files of the project: those git knows and new ones it would take. Paths are relative to the checkout. Where there is
 * no git (a released archive), the caller's rules have nothing to look at and their positive controls say so.
 */
export function listProjectFiles(): readonly string[] {
  const printed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: CHECKOUT,
    encoding: 'utf8',
    maxBuffer: 16 * 1024 * 1024,
  });
  return printed.split('\0').filter((path) => path !== '' && existsSync(join(CHECKOUT, path)));
}

/** Code below one of the directories: TypeScript and the plain modules of the set-up. Generated files are left out. */
export function listSources(...directories: readonly string[]): readonly SourceFile[] {
  return listProjectFiles()
    .filter((path) => directories.some((directory) => path.startsWith(`${directory}/`)))
    .filter((path) => /\.(ts|mjs)$/.test(path) && !path.endsWith('.gen.ts'))
    .map((path) => parseSource(path, readProjectFile(path)));
}

/** Text of a file of the project. */
export function readProjectFile(path: string): string {
  return readFileSync(join(CHECKOUT, path), 'utf8');
}

/** Parses one file; `path` decides the dialect. */
export function parseSource(path: string, text: string): SourceFile {
  return { path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true) };
}

/** `path:line` of a node, for messages. */
export function locate(file: SourceFile, node: ts.Node): string {
  return `${file.path}:${file.tree.getLineAndCharacterOfPosition(node.getStart(file.tree)).line + 1}`;
}

/** Calls back for a node and everything below it. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}
