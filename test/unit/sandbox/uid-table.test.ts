import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UidTable } from '../../../src/sandbox/uid-table.ts';

const RANGE = { first: 1000, count: 3 };
const nobody = (): boolean => false;

test('an id keeps its uid, also over a restart', () => {
  const table = UidTable.parse(null, RANGE);
  assert.deepEqual(table.reserve('a', nobody), { uid: 1000, isNew: true });
  assert.deepEqual(table.reserve('b', nobody), { uid: 1001, isNew: true });
  const again = UidTable.parse(table.toJson(), RANGE);
  assert.deepEqual(again.reserve('b', nobody), { uid: 1001, isNew: false });
});

test('peek changes nothing', () => {
  const table = UidTable.parse(null, RANGE);
  assert.equal(table.peek('a', nobody), 1000);
  assert.equal(table.peek('b', nobody), 1000);
});

test('a full table gives the uid of the id unused for longest, never of one in use', () => {
  const table = UidTable.parse(null, RANGE);
  for (const id of ['a', 'b', 'c']) table.reserve(id, nobody);
  table.reserve('a', nobody);
  assert.equal(table.reserve('d', (id) => id === 'b').uid, 1002);
  assert.deepEqual(
    table.reserve('c', (id) => id === 'b' || id === 'd'),
    { uid: 1000, isNew: true },
  );
});

for (const text of [
  '',
  '{',
  '[]',
  '{"version":2,"uids":{}}',
  '{"version":1,"uids":null}',
  '{"version":1,"uids":{"a":{"uid":"x"}}}',
  '{"version":1,"uids":{"a":{"uid":5,"used":1}}}',
]) {
  test(`a damaged table counts as empty: ${JSON.stringify(text)}`, () => {
    assert.equal(UidTable.parse(text, RANGE).reserve('z', nobody).uid, 1000);
  });
}
