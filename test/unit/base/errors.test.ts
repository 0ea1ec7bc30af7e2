import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ERRORS, type ErrorKind, problemsError, SpawnError } from '../../../src/base/errors.ts';
import type { Problem } from '../../../src/base/result.ts';
import { CHECKOUT } from '../../helpers/checkout.ts';

const TABLE = 'base/errors.ts';
const KINDS: readonly (readonly [string, ErrorKind])[] = Object.entries(ERRORS);

const sources = readdirSync(join(CHECKOUT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && path !== TABLE)
  .map((path) => readFileSync(join(CHECKOUT, 'src', path), 'utf8'));

/** Codes of the table that occur as literals nowhere in the texts. */
function unusedCodes(texts: readonly string[]): readonly string[] {
  return KINDS.map(([code]) => code).filter((code) => !texts.some((text) => text.includes(`'${code}'`)));
}

test('every error code follows the grammar area.kind', () => {
  assert.deepEqual(
    KINDS.map(([code]) => code).filter((code) => !/^[a-z0-9]+(-[a-z0-9]+)*\.[a-z0-9]+(-[a-z0-9]+)*$/.test(code)),
    [],
  );
});

test('every error code is used by the program', () => {
  assert.ok(sources.length > 0);
  assert.deepEqual(unusedCodes(sources), []);
});

test('a code that nothing uses is found', () => {
  const text = sources.join('\n').replaceAll("'card.conflict'", "'card.other'");
  assert.ok(!unusedCodes(sources).includes('card.conflict'));
  assert.ok(unusedCodes([text]).includes('card.conflict'));
});

test('every error has a status that its doors know and one sentence about it', () => {
  const odd = KINDS.filter(
    ([, { http, exit, summary }]) =>
      !(http >= 400 && http < 600 && [1, 2, 3, 4, 5].includes(exit) && /^\w[^\n]*[^.]\.$/.test(summary)),
  );
  assert.deepEqual(odd, []);
});

test('errors of cards exit with 3, denials with 4, unfit hosts with 5', () => {
  const statuses: Readonly<Record<string, number>> = { card: 3, plan: 3 };
  const odd = KINDS.filter(([code, { exit }]) => exit !== (statuses[code.split('.')[0] ?? ''] ?? exit));
  assert.deepEqual(odd, []);
  assert.equal(ERRORS['control.forbidden'].exit, 4);
  assert.equal(ERRORS['host.bubblewrap-missing'].exit, 5);
});

test('problems become one error with the code of the first', () => {
  const problems: readonly Problem[] = [
    { code: 'card.unknown-key', pointer: '/x', message: 'The card has no key "x".' },
    { code: 'card.missing-key', pointer: '/y', message: 'The card lacks the key "y".' },
  ];
  const error = problemsError(problems, 'a.json');
  assert.ok(error instanceof SpawnError);
  assert.deepEqual(
    [error.code, error.message, error.problems],
    ['card.unknown-key', 'a.json: The card has no key "x". (and 1 more)', problems],
  );
});
