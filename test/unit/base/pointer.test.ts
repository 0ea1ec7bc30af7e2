import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pointerSteps, pointerTo, valueAt } from '../../../src/base/pointer.ts';

/** The examples of RFC 6901 §5. */
const DOCUMENT = { foo: ['bar', 'baz'], '': 0, 'a/b': 1, 'c%d': 2, 'i\\j': 5, ' ': 7, 'm~n': 8 };

test('the pointers of RFC 6901 name the values they name there', () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ['', DOCUMENT],
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/i\\j', 5],
    ['/ ', 7],
    ['/m~0n', 8],
    ['/nothing', undefined],
    ['/foo/2', undefined],
    ['/foo/0/0', undefined],
  ];
  assert.deepEqual(
    cases.map(([pointer]) => [pointer, valueAt(DOCUMENT, pointer)]),
    cases,
  );
});

test('an inherited property is no value', () => {
  assert.deepEqual(
    ['/toString', '/constructor/name', '/__proto__', '/foo/length/x'].map((pointer) => valueAt(DOCUMENT, pointer)),
    [undefined, undefined, undefined, undefined],
  );
});

test('steps that were put together come apart again', () => {
  for (const name of ['a', '', '/', '~', '~1', '~0', 'a/b~c', 'ü']) {
    assert.deepEqual(pointerSteps(pointerTo(pointerTo('', name), 0)), [name, '0']);
  }
});
