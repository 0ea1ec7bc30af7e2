import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPath } from '../../../src/policy/request-path.ts';

/** Paths with how they are judged and, where it differs from how they came, how they are sent. */
const READ: readonly (readonly [string, string, string?])[] = [
  ['/', '/'],
  ['/a/b', '/a/b'],
  ['/a/b/', '/a/b/'],
  ['/%61/%7Eb/%2d', '/a/~b/-'],
  ['/a%20b/%c3%a4', '/a%20b/%C3%A4'],
  ['/@types%2fnode', '/@types%2Fnode'],
  ['/a;b=c/d', '/a;b=c/d'],
  ['/a//b///c//', '/a/b/c/'],
  ['//b', '/b', '/b'],
  ['///b//c', '/b/c', '/b/c'],
  ['/a/./b', '/a/b', '/a/b'],
  ['/a/b/../c', '/a/c', '/a/c'],
  ['/a/b/..', '/a/', '/a/'],
  ['/a/b/.', '/a/b/', '/a/b/'],
  ['/..', '/', '/'],
  ['/../../etc', '/etc', '/etc'],
  ['/a/%2e%2E/b', '/b', '/b'],
  ['/a/.%2e/b', '/b', '/b'],
  ['/public//../private', '/private', '/private'],
  ['/a/.../b', '/a/.../b'],
  ['/..a/b..', '/..a/b..'],
  ['/{a}|"b"', '/{a}|"b"'],
  ['/a%25b', '/a%25b'],
];

/** Paths that servers read differently. */
const REFUSED: readonly string[] = [
  '/a\\..\\b',
  '/a\\b',
  '/a%00b',
  '/a%',
  '/a%2',
  '/a%zz',
  '/public/..%2fprivate',
  '/public/%2e%2e%2fprivate',
  '/public/x%2f..%2f..%2fprivate',
  '/public/..%5cprivate',
  '/public/x%5C..%5C..%5Cprivate',
  '/public/%252e%252e/private',
  '/public/%25252e%2525252e/private',
  '/public/..%252fprivate',
  '/public/..;/private',
  '/public/..;a=b/private',
  '/public/%2e.%3bx/private',
  '/public/.;/x',
];

test('a path is judged in its normal form, and sent so when it has dot segments or could be read as a host', () => {
  assert.deepEqual(
    READ.map(([path]) => readPath(path)),
    READ.map(([path, judged, sent = path]) => ({ judged, sent })),
  );
});

test('a path that climbs only for some servers is refused', () => {
  assert.deepEqual(
    REFUSED.filter((path) => readPath(path) !== null),
    [],
  );
});

test('what is sent is judged like what came', () => {
  for (const [path] of READ) {
    const read = readPath(path);
    assert.equal(readPath(read?.sent ?? '')?.judged, read?.judged);
    assert.equal(readPath(read?.judged ?? '')?.judged, read?.judged);
  }
});
