import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import test from 'node:test';
import { addressOf, parseAddress, unmapped } from '../../../src/policy/address.ts';
import { seededRandom } from '../card/random.ts';

test('addresses are read in every form that a resolver takes', () => {
  const forms: readonly (readonly [string, string])[] = [
    ['127.0.0.1', '127.0.0.1'],
    ['127.0.0.1.', '127.0.0.1'],
    ['127.1', '127.0.0.1'],
    ['127.0.1', '127.0.0.1'],
    ['2130706433', '127.0.0.1'],
    ['0x7f000001', '127.0.0.1'],
    ['0x7f.1', '127.0.0.1'],
    ['0X7F.0.0.0x1', '127.0.0.1'],
    ['0177.0.0.1', '127.0.0.1'],
    ['017700000001', '127.0.0.1'],
    ['0', '0.0.0.0'],
    ['0x', '0.0.0.0'],
    ['00', '0.0.0.0'],
    ['10.1.65535', '10.1.255.255'],
    ['4294967295', '255.255.255.255'],
    ['1.16777215', '1.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['2001:DB8::0001', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
    ['1::', '1::'],
    ['::ffff:127.0.0.1', '::ffff:127.0.0.1'],
    ['::FFFF:7f00:1', '::ffff:127.0.0.1'],
    ['::127.0.0.1', '::7f00:1'],
    ['64:ff9b::10.0.0.1', '64:ff9b::a00:1'],
  ];
  for (const [text, canonical] of forms) assert.equal(parseAddress(text)?.text, canonical, text);
});

test('what is no address is none', () => {
  const texts = [
    '',
    '.',
    '..',
    'a',
    '127.0.0.1..',
    '1.2.3.4.5',
    '256.0.0.1',
    '1.2.3.256',
    '1.2.65536',
    '4294967296',
    '08',
    '0x7g',
    '1.2.3.+4',
    '1.2.3.-4',
    '1.2.3.4 ',
    ' 1.2.3.4',
    '1.2.3.4\u0000',
    '1e3',
    '1_0',
    '\uff11.2.3.4',
    '[::1]',
    '::1%eth0',
    'fe80::1%25eth0',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'g::',
    '::1.2.3',
    '::01.2.3.4',
    '::1.2.3.4.',
    '1.2.3.4::',
    '1.2.3.4:80',
    `${'0'.repeat(100)}1`,
  ];
  for (const text of texts) assert.equal(parseAddress(text), null, text);
});

test('canonical text gives the same address back, and is an address to others too', () => {
  const random = seededRandom(41);
  for (let round = 0; round < 2000; round += 1) {
    const length = random.once(2) ? 4 : 16;
    const bytes = Array.from({ length }, () => (random.once(2) ? 0 : random.below(256)));
    const address = addressOf(bytes);
    assert.equal(isIP(address.text), address.family, address.text);
    assert.deepEqual(parseAddress(address.text), address);
  }
});

test('canonical IPv6 text is what the platform makes of it', () => {
  const random = seededRandom(42);
  for (let round = 0; round < 500; round += 1) {
    const bytes = Array.from({ length: 16 }, (_, index) =>
      index === 0 ? 0x20 : random.once(2) ? 0 : random.below(256),
    );
    const { text } = addressOf(bytes);
    assert.equal(new URL(`http://[${text}]`).hostname, `[${text}]`);
  }
});

test('a text that the platform takes for an IPv4 address is read as the same one', () => {
  const random = seededRandom(43);
  // Not 256: the URL parser of Node 20.11 takes that for a last part.
  const parts = [
    '0',
    '1',
    '7',
    '08',
    '0x7f',
    '0x',
    '255',
    '257',
    '0377',
    '65535',
    '16777215',
    '',
    'a',
    '4294967295',
  ] as const;
  for (let round = 0; round < 3000; round += 1) {
    const text = Array.from({ length: 1 + random.below(5) }, () => random.pick(parts)).join('.');
    assert.equal(parseAddress(text)?.text ?? null, platformAddress(text), text);
  }
});

test('only mapped addresses become IPv4 ones', () => {
  const texts = ['::ffff:10.0.0.1', '::10.0.0.1', '64:ff9b::10.0.0.1', '10.0.0.1'];
  assert.deepEqual(
    texts.map((text) => unmapped(addressOf(parseAddress(text)?.bytes ?? [])).text),
    ['10.0.0.1', '::a00:1', '64:ff9b::a00:1', '10.0.0.1'],
  );
});

/** What the URL parser makes of a host, when it is an IPv4 address. */
function platformAddress(text: string): string | null {
  if (text === '' || !URL.canParse(`http://${text}/`)) return null;
  const { hostname } = new URL(`http://${text}/`);
  return isIP(hostname) === 4 ? hostname : null;
}
