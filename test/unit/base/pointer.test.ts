import assert from 'node:assert/strict';
import { test } from 'node:test';
import { optionName, pointerSteps, pointerTo, valueAt } from '../../../src/base/pointer.ts';

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

test('a pointer is named as the option of NixOS that it stands for', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['', 'services.x'],
    ['/resource_limits/memory_mb', 'services.x.resource_limits.memory_mb'],
    ['/allowed_hosts/3/host', 'services.x.allowed_hosts[3].host'],
    ['/environment/my.var', 'services.x.environment."my.var"'],
    ['/environment/MY_VAR', 'services.x.environment.MY_VAR'],
    ['/labels/3', 'services.x.labels."3"'],
    ['/$schema', 'services.x."\\$schema"'],
    ['/labels/if', 'services.x.labels."if"'],
    ['/labels/a"~1$b\n', 'services.x.labels."a\\"/\\$b\\n"'],
    ['/', 'services.x.""'],
  ];
  const isMap = (pointer: string): boolean => pointer === '/labels';
  assert.deepEqual(
    cases.map(([pointer]) => [pointer, optionName('services.x', pointer, isMap)]),
    cases,
  );
});
