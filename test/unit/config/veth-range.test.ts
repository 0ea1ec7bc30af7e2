import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judged } from './judged.ts';

/** The range that a configuration gives, or what is wrong with it. */
function rangeOf(value: unknown): string | readonly string[] {
  const config = judged({ veth_range: value });
  return 'vethRange' in config ? config.vethRange : config;
}

test('the range of links is a range of IPv4 addresses that has room', () => {
  for (const range of ['10.0.0.0/8', '172.30.0.0/16', '192.168.8.0/24']) assert.equal(rangeOf(range), range);
  const rule = 'but links need IPv4 addresses, ADDRESS/PREFIX with a prefix from 8 to 24';
  for (const range of ['10.0.0.0', '10.0.0.0/7', '10.0.0.0/25', 'fd00::/16', '', '10.0.0.256/16', '010.0.0.0/8'])
    assert.deepEqual(rangeOf(range), [
      `config.invalid /veth_range: "veth_range" is "${range}", ${rule}. [Write "10.213.0.0/16", for example.]`,
    ]);
  for (const range of [7, null, []]) assert.equal(rangeOf(range).length, 1, JSON.stringify(range));
});

test('a range that was nearly written is named', () => {
  assert.deepEqual(rangeOf('10.213.0.1/16'), [
    'config.invalid /veth_range: "veth_range" is "10.213.0.1/16", but bits beyond its prefix of 16 are set. [Write "10.213.0.0/16".]',
  ]);
});
