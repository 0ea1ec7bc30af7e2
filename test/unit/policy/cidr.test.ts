import assert from 'node:assert/strict';
import test from 'node:test';
import { cidrAround, cidrContains, parseCidr } from '../../../src/policy/cidr.ts';
import { seededRandom } from '../card/random.ts';
import { address } from './sample-policy.ts';

test('ranges are read to canonical text', () => {
  const texts = [
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['10.1.2.3/32', '10.1.2.3/32'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['::/0', '::/0'],
    ['::1/128', '::1/128'],
    ['10.0.0.0/08', '10.0.0.0/8'],
  ] as const;
  for (const [text, canonical] of texts) {
    const reading = parseCidr(text);
    assert.equal(reading.ok && reading.cidr.text, canonical, text);
  }
});

test('a range with bits beyond its prefix is refused with the range around it', () => {
  const reading = parseCidr('10.1.2.3/8');
  assert.deepEqual(reading, { ok: false, fault: 'bits beyond its prefix of 8 are set', meant: '10.0.0.0/8' });
  const six = parseCidr('2001:db8::1/33');
  assert.deepEqual(six, { ok: false, fault: 'bits beyond its prefix of 33 are set', meant: '2001:db8::/33' });
});

test('what is no range is refused', () => {
  const texts = [
    '',
    '/',
    '10.0.0.0',
    '10.0.0.0/',
    '/8',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10/8',
    'a/8',
  ];
  for (const text of [...texts, '10.0.0.0/ 8', '[::]/0', '010.0.0.0/8', '10.0.0.0/255.0.0.0'])
    assert.equal(parseCidr(text).ok, false, text);
});

test('a range holds the addresses that share its bits and no others', () => {
  const random = seededRandom(5);
  for (let round = 0; round < 2000; round += 1) {
    const bytes = Array.from({ length: random.once(2) ? 4 : 16 }, () => random.below(256));
    const one = { family: bytes.length === 4 ? 4 : 6, bytes, text: '' } as const;
    const prefix = random.below(8 * bytes.length + 1);
    const bit = random.below(8 * bytes.length);
    const flipped = bytes.map((byte, index) => (index === bit >> 3 ? byte ^ (0x80 >> (bit & 7)) : byte));
    const range = cidrAround(one, prefix);
    assert.equal(cidrContains(range, one), true);
    assert.equal(cidrContains(range, { ...one, bytes: flipped }), bit >= prefix);
  }
});

test('a range holds no address of the other family', () => {
  const all = parseCidr('::/0');
  assert.ok(all.ok);
  assert.equal(cidrContains(all.cidr, address('10.0.0.1')), false);
  assert.equal(cidrContains(all.cidr, address('::ffff:10.0.0.1')), true);
});
