import { dirname, join } from 'node:path/posix';
import ts from 'typescript';
import type { Room } from './rooms-table.ts';
import { locate, type SourceFile, walk } from './source-file.ts';

/** One import, re-export or dynamic import. */
export interface Import {
  /** `path:line` of the importing statement. */
  readonly at: string;
  /** As written for modules of Node and packages; relative to the checkout for files. */
  readonly target: string;
  readonly kind: 'file' | 'builtin' | 'package';
  /** Nothing of it is left at run time. */
  readonly isTypeOnly: boolean;
}

/** Everything a file imports, in order. */
export function listImports(file: SourceFile): readonly Import[] {
  const imports: Import[] = [];
  walk(file.tree, (node) => {
    const found = readImport(node);
    if (found === undefined) return;
    const { specifier, isTypeOnly } = found;
    imports.push({ at: locate(file, node), isTypeOnly, ...resolveTarget(file.path, specifier) });
  });
  return imports;
}

function readImport(node: ts.Node): { specifier: string; isTypeOnly: boolean } | undefined {
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
    return { specifier: node.moduleSpecifier.text, isTypeOnly: isErased(node.importClause) };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined && ts.isStringLiteral(node.moduleSpecifier)) {
    return { specifier: node.moduleSpecifier.text, isTypeOnly: node.isTypeOnly };
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [argument] = node.arguments;
    return argument !== undefined && ts.isStringLiteral(argument)
      ? { specifier: argument.text, isTypeOnly: false }
      : undefined;
  }
  return undefined;
}

/** Under `verbatimModuleSyntax` only `import type` is erased whole, `import { type … }` leaves an import for its effects. */
function isErased(clause: ts.ImportClause | undefined): boolean {
  return clause !== undefined && clause.phaseModifier === ts.SyntaxKind.TypeKeyword;
}

function resolveTarget(importer: string, specifier: string): Pick<Import, 'target' | 'kind'> {
  if (specifier.startsWith('.')) return { kind: 'file', target: join(dirname(importer), specifier) };
  if (specifier.startsWith('node:')) return { kind: 'builtin', target: specifier.slice('node:'.length) };
  const name = specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1);
  return { kind: 'package', target: name.join('/') };
}

/** The room of a file of src/, or undefined for a file elsewhere. */
export function roomOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1];
}

/** Imports of one file that the table does not allow, as sentences. */
export function judgeImports(file: SourceFile, rooms: ReadonlyMap<string, Room>): readonly string[] {
  const name = roomOf(file.path);
  const room = name === undefined ? undefined : rooms.get(name);
  if (room === undefined) return [`${file.path}: its room is not in src/ROOMS`];
  return listImports(file).flatMap((entry) => {
    const refusal = refuse(entry, room);
    return refusal === undefined ? [] : [`${entry.at}: ${refusal}`];
  });
}

function refuse(entry: Import, room: Room): string | undefined {
  if (entry.kind === 'builtin')
    return isListed(entry.target, room.builtins) ? undefined : `${room.name} may not use node:${entry.target}`;
  if (entry.kind === 'package')
    return isListed(entry.target, room.packages) ? undefined : `${room.name} may not use ${entry.target}`;
  const target = roomOf(entry.target);
  if (target === room.name) return undefined;
  // Schemas and the like lie outside src/ and hold no code.
  if (target === undefined) return entry.target.endsWith('.json') ? undefined : `${entry.target} lies outside src/`;
  if (target === 'main') return 'nobody imports main';
  if (isListed(target, room.rooms)) return undefined;
  if (!room.typeRooms.includes(target)) return `${room.name} may not import ${target}`;
  return entry.isTypeOnly ? undefined : `${room.name} may import only types of ${target}: write "import type"`;
}

function isListed(name: string, list: readonly string[]): boolean {
  return list.includes('*') || list.includes(name);
}

/** Circles of files that import values from each other, each as the list of its files. */
export function findCircles(files: readonly SourceFile[]): readonly (readonly string[])[] {
  const edges = new Map(
    files.map((file) => [file.path, listImports(file).filter((entry) => entry.kind === 'file' && !entry.isTypeOnly)]),
  );
  const circles: string[][] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path]);
    if (trail.includes(path) || done.has(path)) return;
    for (const entry of edges.get(path) ?? []) visit(entry.target, [...trail, path]);
    done.add(path);
  };
  for (const file of files) visit(file.path, []);
  return circles;
}
