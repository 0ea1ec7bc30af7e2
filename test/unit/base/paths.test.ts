import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isNormalAbsolute,
  isWithin,
  joinPath,
  normalForm,
  type PathFault,
  parentOf,
  pathFault,
} from '../../../src/base/paths.ts';

const FAULTS: readonly (readonly [string, PathFault | null])[] = [
  ['/', null],
  ['/a', null],
  ['/a/b.c/..d/...', null],
  ['/mnt/a b/ü/%i', null],
  ['', 'empty'],
  ['a', 'relative'],
  ['./a', 'relative'],
  ['~/a', 'relative'],
  ['//', 'double-slash'],
  ['//a', 'double-slash'],
  ['/a//b', 'double-slash'],
  ['/a/', 'trailing-slash'],
  ['/.', 'dot'],
  ['/a/./b', 'dot'],
  ['/..', 'dot-dot'],
  ['/a/../b', 'dot-dot'],
  ['/a/./../b', 'dot-dot'],
  ['/a\0b', 'control'],
  ['/a\nb', 'control'],
  ['/a\u0085b', 'control'],
  ['/a\u202eb', 'control'],
  ['/a\ud800b', 'control'],
  [`/${'a'.repeat(4094)}`, null],
  [`/${'a'.repeat(4095)}`, 'too-long'],
  [`/${'ü'.repeat(2047)}`, null],
  [`/${'ü'.repeat(2048)}`, 'too-long'],
];

test('a path is judged by its text alone, and its first fault is named', () => {
  assert.deepEqual(
    FAULTS.map(([path]) => [path, pathFault(path)]),
    FAULTS,
  );
  assert.deepEqual(
    FAULTS.map(([path]) => isNormalAbsolute(path)),
    FAULTS.map(([, fault]) => fault === null),
  );
});

test('a path is within a directory when it is the directory or lies below it', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['/a', '/a', true],
    ['/a/b', '/a', true],
    ['/ab', '/a', false],
    ['/a', '/a/b', false],
    ['/a', '/', true],
    ['/', '/', true],
    ['/', '/a', false],
    ['a', '/', false],
    ['workspace/run', '/workspace', false],
  ];
  assert.deepEqual(
    cases.map(([path, directory]) => [path, directory, isWithin(path, directory)]),
    cases,
  );
});

test('the parent of a path is the directory that holds it, and the root holds itself', () => {
  assert.deepEqual(['/a/b/c', '/a/b', '/a', '/'].map(parentOf), ['/a/b', '/a', '/', '/']);
});

test('names are joined to a directory without a double slash at the root', () => {
  assert.deepEqual([joinPath('/a', 'b', 'c'), joinPath('/', 'b'), joinPath('/a')], ['/a/b/c', '/b', '/a']);
});

test('joining a name to a parent gives the path back', () => {
  for (const path of ['/a', '/a/b', '/mnt/agents/dev']) {
    assert.equal(joinPath(parentOf(path), path.slice(path.lastIndexOf('/') + 1)), path);
  }
});

test('the normal form of a path is normal, and a normal path is its own', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['/a//b/', '/a/b'],
    ['/a/./b/../c', '/a/c'],
    ['/../..', '/'],
    ['/a/b', '/a/b'],
  ];
  assert.deepEqual(
    cases.map(([path]) => [path, normalForm(path)]),
    cases,
  );
  assert.ok(cases.every(([path]) => isNormalAbsolute(normalForm(path))));
});
