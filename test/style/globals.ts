import ts from 'typescript';
import { locate, type SourceFile, walk } from './source-file.ts';

/** Names that belong to few files each, with the pattern of the files that may use them. */
export const OWNERS: Readonly<Record<string, RegExp>> = {
  console: /^src\/main\//,
  'process.env': /^src\/(config\/environment\.ts|main\/|private-host\/|setup\/)/,
  'process.exit': /^src\/(main\/|private-host\/|setup\/)/,
  'Date.now': /^src\/host\/clock\.ts$/,
  'Math.random': /^$/,
  'node:child_process': /^src\/(cli\/journalctl\.ts|host\/spawn\.ts|private-host\/|setup\/)/,
};

/** Names that stand for the machine or its clock and that a room without modules of Node may not use either. */
const MACHINE_GLOBALS = [
  'process',
  'performance',
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'globalThis',
  'require',
];

/** Uses of owned names outside their owners, as sentences. */
export function judgeGlobals(file: SourceFile, isPure: boolean): readonly string[] {
  const found: string[] = [];
  walk(file.tree, (node) => {
    const name = nameOf(node);
    if (name === undefined) return;
    const owner = OWNERS[name];
    if (owner !== undefined && !owner.test(file.path))
      found.push(`${locate(file, node)}: ${name} belongs to ${owner.source}`);
    if (isPure && MACHINE_GLOBALS.includes(name))
      found.push(`${locate(file, node)}: ${name} has no place in a pure room`);
  });
  return found;
}

/** The name a node uses as a value: `console`, `process.env`, a module, or undefined. */
function nameOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteral(node) && node.text === 'node:child_process') return node.text;
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
    return `${node.expression.text}.${node.name.text}`;
  }
  if (!ts.isIdentifier(node)) return undefined;
  const { parent } = node;
  const isMember = ts.isPropertyAccessExpression(parent) && parent.name === node;
  const isDeclared = 'name' in parent && parent.name === node;
  return isMember || isDeclared ? undefined : node.text;
}
