import assert from 'node:assert/strict';
import test from 'node:test';
import { parseAddress } from '../../../src/policy/address.ts';
import { type AddressClass, classifyAddress, formsOf, specialRanges } from '../../../src/policy/address-class.ts';
import { cidrContains, parseCidr } from '../../../src/policy/cidr.ts';
import { seededRandom } from '../card/random.ts';
import { address } from './sample-policy.ts';

/** First and last address of each range, and neighbours outside of it. */
const CLASSES: readonly (readonly [AddressClass, string])[] = [
  ['unspecified', '0.0.0.0 :: ::ffff:0.0.0.0'],
  [
    'loopback',
    '127.0.0.0 127.0.0.1 127.255.255.255 ::1 ::ffff:127.0.0.1 64:ff9b::127.0.0.1 2002:7f00:1::1 ::127.0.0.1',
  ],
  ['private', '10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255'],
  ['private', '::ffff:10.0.0.1 ::10.0.0.1 64:ff9b::10.0.0.1 64:ff9b:1::10.0.0.1 2002:a00:1:: 2001:0:a00:1::'],
  ['link-local', '169.254.0.0 169.254.169.253 169.254.255.255 fe80:: fe80::1 febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['cgnat', '100.64.0.0 100.127.255.255'],
  ['unique-local', 'fc00:: fd12:3456::1 fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['metadata', '169.254.169.254 169.254.170.2 169.254.170.23 100.100.100.200 168.63.129.16 192.0.0.192 169.254.42.42'],
  [
    'metadata',
    'fd00:ec2::254 fd00:ec2::23 fd20:ce::254 fd00:c1::a9fe:a9fe fd00:42::42 fd00:a9fe:a9fe::1 fe80::a9fe:a9fe',
  ],
  [
    'metadata',
    '::ffff:169.254.169.254 ::169.254.169.254 64:ff9b::169.254.169.254 2002:a9fe:a9fe::1 ::ffff:0:169.254.169.254',
  ],
  [
    'metadata',
    '64:ff9b:1:a9fe:a9:fe00:808:808 64:ff9b:1:a8:3f:8110:808:808 2001:0:a9fe:a9fe:: 2001:0:808:808::5601:5601',
  ],
  ['broadcast', '255.255.255.255'],
  ['multicast', '224.0.0.0 239.255.255.255 ff00:: ff02::1'],
  [
    'reserved',
    '0.0.0.1 0.255.255.255 192.0.0.0 192.0.0.255 192.0.2.0 192.0.2.255 192.88.99.1 198.18.0.0 198.19.255.255',
  ],
  ['reserved', '198.51.100.0 198.51.100.255 203.0.113.0 203.0.113.255 240.0.0.0 255.255.255.254'],
  ['reserved', '2001:db8::1 2001:1::1 2001:2::1 2001:10::1 2001:20::1 2001:1ff:ffff::1 3fff::1 100::1 5f00::1 fec0::1'],
  ['reserved', '1::1 4000:: 1fff:ffff:: ::ffff:0:8.8.8.8 ::8.8.8.8 64:ff9b:1::8.8.8.8 64:ff9b:2:: ::2'],
  [
    'public',
    '1.0.0.0 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255',
  ],
  ['public', '169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.167.255.255 192.169.0.0 198.17.255.255'],
  ['public', '198.20.0.0 203.0.112.255 203.0.114.0 223.255.255.255 168.63.129.15 168.63.129.17'],
  ['public', '2000:: 2001:200::1 2001:4860:4860::8888 2606:4700::1111 3ffe::1 3fff:1000:: 2001:db7:: 2001:db9::'],
  ['public', '::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1 2001:0:808:808::f7f7:f7f7'],
];

test('every special address has its class, and the ones beside it are public', () => {
  const wrong = CLASSES.flatMap(([kind, texts]) =>
    texts
      .split(' ')
      .filter((text) => classifyAddress(address(text)) !== kind)
      .map((text) => `${text}: ${classifyAddress(address(text))}, not ${kind}`),
  );
  assert.deepEqual(wrong, []);
});

test('no form of a special IPv4 address is public', () => {
  const special = CLASSES.filter(([kind]) => kind !== 'public').flatMap(([, texts]) => texts.split(' '));
  const plain = special.map(address).filter(({ family }) => family === 4);
  assert.ok(plain.length > 20);
  for (const { bytes, text } of plain) {
    const hex = [0, 2].map((at) => (256 * (bytes[at] ?? 0) + (bytes[at + 1] ?? 0)).toString(16)).join(':');
    const forms = [
      `::ffff:${text}`,
      `::${text}`,
      `64:ff9b::${text}`,
      `64:ff9b:1::${text}`,
      `2002:${hex}::1`,
      `::ffff:0:${text}`,
    ];
    for (const form of forms) assert.notEqual(classifyAddress(address(form)), 'public', form);
  }
});

test('an address tells every IPv4 address that it may lead to', () => {
  const forms = (text: string): readonly string[] => formsOf(address(text)).map((form) => form.text);
  assert.deepEqual(forms('10.0.0.1'), ['10.0.0.1']);
  assert.deepEqual(forms('::ffff:10.0.0.1'), ['::ffff:10.0.0.1', '10.0.0.1']);
  assert.deepEqual(forms('64:ff9b::a00:1'), ['64:ff9b::a00:1', '10.0.0.1']);
  assert.deepEqual(forms('2002:a00:1::5'), ['2002:a00:1::5', '10.0.0.1']);
  assert.deepEqual(forms('2001:0:a00:1::f5ff:fffd'), ['2001:0:a00:1::f5ff:fffd', '10.0.0.1', '10.0.0.2']);
  assert.deepEqual(forms('2606:4700::1'), ['2606:4700::1']);
});

test('the ranges for other programs hold special addresses only, and every special one of IPv4', () => {
  const { literalOnly, others } = specialRanges();
  const all = [...literalOnly, ...others];
  const random = seededRandom(7);
  for (const range of all) assert.ok(parseCidr(range.text).ok, range.text);
  for (const range of all) assert.notEqual(classifyAddress(range.address), 'public', range.text);
  for (let round = 0; round < 5000; round += 1) {
    const first = random.pick([0, 10, 100, 127, 169, 172, 192, 198, 203, 224, 240, 255, 8]);
    const text = [first, random.pick([0, 16, 51, 64, 88, 168, 254, 255]), random.below(256), random.below(256)].join(
      '.',
    );
    const found = parseAddress(text);
    assert.ok(found);
    assert.equal(
      classifyAddress(found) !== 'public',
      all.some((range) => cidrContains(range, found)),
      text,
    );
  }
});
