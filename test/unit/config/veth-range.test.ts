import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../../src/config/config.ts';

function rangeOf(value: unknown): string | null {
  const config = parseConfig(JSON.stringify({ veth_range: value }));
  return config.ok ? config.value.vethRange : null;
}

test('the range of links is a range of IPv4 addresses that has room', () => {
  for (const range of ['10.0.0.0/8', '172.30.0.0/16', '192.168.8.0/24']) assert.equal(rangeOf(range), range);
  const wrong = ['10.0.0.0', '10.0.0.0/7', '10.0.0.0/25', '10.213.0.1/16', '010.0.0.0/8', 'fd00::/16', '', 7, null, []];
  for (const range of wrong) assert.equal(rangeOf(range), null, JSON.stringify(range));
  const absent = parseConfig(null);
  assert.equal(absent.ok && absent.value.vethRange, '10.213.0.0/16');
});
