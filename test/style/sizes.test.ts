import assert from 'node:assert/strict';
import { basename } from 'node:path/posix';
import test from 'node:test';
import ts from 'typescript';
import { listSources, locate, parseSource, type SourceFile, walk } from './source-file.ts';

const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 60;
const PARAMETERS_MAX = 4;

/** Names that say nothing about what is inside. */
const VAGUE_NAMES = /(^|-)(utils?|helpers?|manager|common|types|misc|data|info)\.(ts|mjs)$/;

test('files, functions and parameter lists stay small', () => {
  assert.deepEqual(listSources('src', 'test').flatMap(judgeSizes), []);
});

test('files are named by a noun in kebab-case', () => {
  const names = listSources('src', 'test').map((file) => file.path);
  assert.deepEqual(
    names.filter((path) => !isGoodName(path)),
    [],
  );
});

test('something too long is found', () => {
  const body = '  x();\n'.repeat(FUNCTION_LINES_MAX);
  const text = `function long(a, b, c, d, e) {\n${body}}\n${'\n'.repeat(FILE_LINES_MAX)}`;
  assert.deepEqual(judgeSizes(parseSource('src/base/sample.ts', text)), [
    'src/base/sample.ts: 462 lines, at most 400',
    'src/base/sample.ts:1: a function of 62 lines, at most 60',
    'src/base/sample.ts:1: 5 parameters, at most 4',
  ]);
});

test('a suite may be long, a test in it may not', () => {
  const long = `test('b', () => {\n${'  x();\n'.repeat(FUNCTION_LINES_MAX)}});`;
  const text = `describe('a', () => {\n${long}\n});`;
  assert.deepEqual(judgeSizes(parseSource('test/unit/sample.test.ts', text)), [
    'test/unit/sample.test.ts:2: a function of 62 lines, at most 60',
  ]);
});

test('a vague or oddly written name is found', () => {
  const names = [
    'src/base/utils.ts',
    'src/base/bus-types.ts',
    'src/base/fileThing.ts',
    'src/base/bus.ts',
    'test/unit/a.test.ts',
  ];
  assert.deepEqual(
    names.filter((path) => !isGoodName(path)),
    names.slice(0, 3),
  );
});

function isGoodName(path: string): boolean {
  return /^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.d)?\.(ts|mjs)$/.test(basename(path)) && !VAGUE_NAMES.test(basename(path));
}

function judgeSizes(file: SourceFile): readonly string[] {
  const problems: string[] = [];
  const lines = file.text.split('\n').length - (file.text.endsWith('\n') ? 1 : 0);
  if (lines > FILE_LINES_MAX) problems.push(`${file.path}: ${lines} lines, at most ${FILE_LINES_MAX}`);
  walk(file.tree, (node) => {
    if (!ts.isFunctionLike(node)) return;
    // A suite is a list of tests, each of which is measured by itself.
    const isSuite = file.path.startsWith('test/') && holdsTests(node);
    const length = lineOf(file, node.end) - lineOf(file, node.getStart(file.tree)) + 1;
    if (length > FUNCTION_LINES_MAX && !isSuite) {
      problems.push(`${locate(file, node)}: a function of ${length} lines, at most ${FUNCTION_LINES_MAX}`);
    }
    if (node.parameters.length > PARAMETERS_MAX) {
      problems.push(`${locate(file, node)}: ${node.parameters.length} parameters, at most ${PARAMETERS_MAX}`);
    }
  });
  return problems;
}

/** Whether a function registers tests, by whatever name: calls of a sentence and a function. */
function holdsTests(node: ts.SignatureDeclaration): boolean {
  const body = 'body' in node ? node.body : undefined;
  if (body === undefined || !ts.isBlock(body)) return false;
  return body.statements.some((statement) => {
    if (!ts.isExpressionStatement(statement) || !ts.isCallExpression(statement.expression)) return false;
    const { arguments: words } = statement.expression;
    const [sentence] = words;
    const last = words.at(-1);
    if (sentence === undefined || last === undefined) return false;
    return ts.isStringLiteralLike(sentence) && (ts.isArrowFunction(last) || ts.isFunctionExpression(last));
  });
}

function lineOf(file: SourceFile, position: number): number {
  return file.tree.getLineAndCharacterOfPosition(position).line;
}
