import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../../src/config/config.ts';

function valueOfKey(key: string, value: unknown): unknown {
  const config = parseConfig(JSON.stringify({ [key]: value }));
  return config.ok ? config.value : config.problems.map(({ code, pointer }) => `${code} ${pointer}`);
}

test('without a file, and with an empty one, what nobody configured is the strict choice', () => {
  for (const text of [null, '{}']) {
    const config = parseConfig(text);
    assert.ok(config.ok);
    assert.equal(config.value.allowHostNetwork, false);
    assert.equal(config.value.allowReadableKeys, false);
    assert.deepEqual(config.value.publishAddresses, ['loopback']);
  }
});

test('keys that others may read are allowed by the word true only', () => {
  const allowed = (value: unknown): unknown =>
    (valueOfKey('allow_readable_keys', value) as { allowReadableKeys?: boolean }).allowReadableKeys;
  assert.deepEqual([allowed(true), allowed(false)], [true, false]);
  for (const wrong of [1, 'true', null, []]) {
    assert.deepEqual(valueOfKey('allow_readable_keys', wrong), ['config.invalid /allow_readable_keys']);
  }
});

test('the network of the host is allowed by the word true only', () => {
  assert.equal((valueOfKey('allow_host_network', true) as { allowHostNetwork: boolean }).allowHostNetwork, true);
  assert.equal((valueOfKey('allow_host_network', false) as { allowHostNetwork: boolean }).allowHostNetwork, false);
  for (const wrong of [1, 'true', null, []]) {
    assert.deepEqual(valueOfKey('allow_host_network', wrong), ['config.invalid /allow_host_network']);
  }
});

test('ports are published on the kinds of address that the configuration lists', () => {
  const listed = (value: unknown): unknown =>
    (valueOfKey('publish_addresses', value) as { publishAddresses: unknown }).publishAddresses;
  for (const good of [[], ['loopback'], ['loopback', 'any']]) assert.deepEqual(listed(good), good);
  for (const wrong of ['any', ['0.0.0.0'], [1], null, {}]) {
    assert.deepEqual(valueOfKey('publish_addresses', wrong), ['config.invalid /publish_addresses']);
  }
});

test('a key that is not known stops the daemon, with the keys there are', () => {
  const config = parseConfig('{"allow_host_networks": true}');
  assert.ok(!config.ok);
  assert.match(config.problems[0]?.message ?? '', /no key "allow_host_networks".*allow_host_network/);
});
