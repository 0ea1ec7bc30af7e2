import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONFIG_BYTES_MAX } from '../../../src/base/limits.ts';
import { type Config, parseConfig } from '../../../src/config/config.ts';
import { DEFAULT_VETH_RANGE } from '../../../src/plan/veth.ts';
import { judged } from './judged.ts';

const DEFAULTS: Config = {
  cardsDirectory: '/etc/agents',
  uidRange: { first: 1_900_000_000, count: 65_536 },
  publishAddresses: ['loopback'],
  allowHostNetwork: false,
  allowReadableKeys: false,
  vethRange: DEFAULT_VETH_RANGE,
  proxy: null,
  restartChanged: false,
  logLevel: 'info',
};

/** Keys with what is said about each value, after the code and the pointer. */
function expectProblems(cases: readonly (readonly [key: string, value: unknown, line: string])[]): void {
  assert.deepEqual(
    cases.map(([key, value]) => judged({ [key]: value })),
    cases.map(([key, , line]) => [`config.invalid /${key}: ${line}`]),
  );
}

test('without a file, and with an empty one, what nobody configured is the strict choice', () => {
  assert.deepEqual(parseConfig(null), { ok: true, value: DEFAULTS });
  assert.deepEqual(judged('{}'), DEFAULTS);
  assert.deepEqual(judged('\ufeff{"$schema": "config.schema.json"}'), DEFAULTS);
});

test('every key holds what the file says', () => {
  const file = {
    cards_dir: '/srv/cards',
    uid_first: 65_536,
    uid_count: 4096,
    publish_addresses: ['loopback', 'any'],
    allow_host_network: true,
    allow_readable_keys: true,
    veth_range: '172.30.0.0/16',
    proxy: 'https://[fd00::1]:3128',
    restart_changed: true,
    log_level: 'trace',
  };
  assert.deepEqual(judged(file), {
    cardsDirectory: '/srv/cards',
    uidRange: { first: 65_536, count: 4096 },
    publishAddresses: ['loopback', 'any'],
    allowHostNetwork: true,
    allowReadableKeys: true,
    vethRange: '172.30.0.0/16',
    proxy: 'https://[fd00::1]:3128',
    restartChanged: true,
    logLevel: 'trace',
  });
});

test('what loosens a wall is allowed by the word true only', () => {
  for (const key of ['allow_host_network', 'allow_readable_keys', 'restart_changed']) {
    expectProblems([
      [key, 1, `"${key}" must be true or false, but is the number 1. [Write true.]`],
      [key, 'true', `"${key}" must be true or false, but is the text "true". [Write true.]`],
      [key, null, `"${key}" must be true or false, but is null. [Leave the key out if it is not needed.]`],
      [key, [], `"${key}" must be true or false, but is a list.`],
    ]);
  }
});

test('ports are published on the kinds of address that the configuration lists', () => {
  for (const good of [[], ['loopback'], ['any', 'loopback']])
    assert.deepEqual(judged({ publish_addresses: good }), { ...DEFAULTS, publishAddresses: good });
  expectProblems([
    ['publish_addresses', 'any', '"publish_addresses" must be a list, but is the text "any". [Write ["any"].]'],
    ['publish_addresses', ['any', 'any', 'any'], '"publish_addresses" has 3 entries; 2 are the most.'],
  ]);
  assert.deepEqual(judged({ publish_addresses: ['any', '0.0.0.0'] }), [
    'config.invalid /publish_addresses/1: "publish_addresses[1]" is "0.0.0.0", but must be "loopback" or "any".',
  ]);
});

test('a proxy is a URL without a password, and none that a password stands in is repeated', () => {
  expectProblems([
    [
      'proxy',
      'squid:3128',
      '"proxy" is "squid:3128", but a proxy is written http://HOST:PORT. [Write "http://squid:3128".]',
    ],
    ['proxy', 'socks5://squid', '"proxy" is a proxy of the kind "socks5", but only http and https are spoken.'],
    [
      'proxy',
      'http://999.1.1.1:3128',
      '"proxy" is "http://999.1.1.1:3128", whose host is neither a name nor an address.',
    ],
    [
      'proxy',
      'http://me:canary@squid:3128',
      '"proxy" holds a user name or a password, and configurations are shown and logged. [A card that names "proxy" and "proxy_credentials_file" itself reads them from a file.]',
    ],
  ]);
});

test('the directory of cards is an absolute, normal path', () => {
  const rule = 'a path must be absolute and normal.';
  expectProblems([
    [
      'cards_dir',
      'cards',
      `"cards_dir" is "cards", which does not start with "/"; ${rule} [Write the whole path, from "/" on.]`,
    ],
    ['cards_dir', '/srv/../cards', `"cards_dir" is "/srv/../cards", which has a part ".."; ${rule} [Write "/cards".]`],
    ['cards_dir', '/', '"cards_dir" is the root directory, which cannot be meant.'],
    ['cards_dir', `/${'ü'.repeat(2048)}`, '"cards_dir" has more than 4095 bytes, which no path can have.'],
  ]);
});

test('a key that is not known is named with the one that was meant, or with those there are', () => {
  const cases = [
    ['allow_host_networks', 'Write "allow_host_network".'],
    ['logLevel', 'Write "log_level".'],
    ['http_proxy', 'Write "proxy".'],
    ['agents_dir', 'Write "cards_dir".'],
    [
      'colour',
      'The keys are cards_dir, uid_first, uid_count, publish_addresses, allow_host_network, allow_readable_keys, veth_range, proxy, restart_changed, log_level.',
    ],
  ];
  for (const [key = '', suggestion] of cases)
    expectProblems([[key, 1, `The configuration has no key "${key}". [${suggestion}]`]]);
});

test('everything that is wrong is told at once', () => {
  assert.deepEqual(judged('{"uid_count": 1, "uid_count": 2, "log_level": "loud", "proxy": 7, "x": {}}'), [
    'config.invalid /uid_count: The key "uid_count" occurs twice: at line 1, column 2 and at line 1, column 18. [Keep one of them.]',
    'config.invalid /x: The configuration has no key "x". [The keys are cards_dir, uid_first, uid_count, publish_addresses, allow_host_network, allow_readable_keys, veth_range, proxy, restart_changed, log_level.]',
    'config.invalid /proxy: "proxy" must be a text, but is the number 7. [Write "7", in quotes.]',
    'config.invalid /log_level: "log_level" is "loud", but must be "trace", "debug", "info", "warn" or "error".',
  ]);
});

test('what is no configuration at all is refused in words about configurations', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['', 'The configuration is empty. [Write {}.]'],
    ['[]', 'The configuration must be an object, but is a list.'],
    [
      '{} {}',
      'The configuration is not well-formed JSON at line 1, column 4: nothing may follow the configuration, but "{" does. [Remove what follows.]',
    ],
    ['// {}', 'The configuration is not well-formed JSON at line 1, column 1: JSON has no comments. [Remove it.]'],
    [
      '['.repeat(17),
      'The configuration nests deeper than 16 levels at line 1, column 17; the deepest key of a configuration needs 2.',
    ],
    [
      ' '.repeat(CONFIG_BYTES_MAX + 1),
      'The configuration has 65537 bytes; 65536 are the most. [Compare it with schema/config.md, which has every key.]',
    ],
  ];
  for (const [text, line] of cases) {
    const [first = ''] = judged(text) as readonly string[];
    assert.equal(first.replace(/^config\.invalid [/0]*: /, ''), line);
  }
  assert.deepEqual(judged('{"__proto__": {"log_level": "trace"}}'), [
    'config.invalid /__proto__: The key "__proto__" is refused everywhere in a configuration: programs have a meaning of their own for it. [Choose another name.]',
  ]);
});
