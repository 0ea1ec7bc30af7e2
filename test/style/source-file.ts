import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** Absolute path of the checkout, whether this runs from the sources or from build/. */
export const CHECKOUT: string = findCheckout(dirname(fileURLToPath(import.meta.url)));

/** What .gitignore names, and git's own directory. */
const MADE = /^(node_modules|build|dist|\.cache|\.git)$|\.log$/;

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

/** Files of the project, as sorted paths relative to the checkout; what is made or fetched is left out. */
export function listProjectFiles(directory = ''): readonly string[] {
  const entries = readdirSync(join(CHECKOUT, directory), { withFileTypes: true }).filter(
    (entry) => !MADE.test(entry.name),
  );
  return entries
    .flatMap((entry) => {
      const path = directory === '' ? entry.name : `${directory}/${entry.name}`;
      return entry.isDirectory() ? listProjectFiles(path) : [path];
    })
    .sort();
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
