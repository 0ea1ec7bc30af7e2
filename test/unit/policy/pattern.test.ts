import assert from 'node:assert/strict';
import test from 'node:test';
import { parsePattern, patternText } from '../../../src/policy/host-pattern.ts';
import { entryText, parseEntry } from '../../../src/policy/pattern.ts';
import { seededRandom } from '../card/random.ts';

test('hosts of a card are read to canonical form', () => {
  const entries: readonly (readonly [string, string, number | null])[] = [
    ['example.com', 'example.com', null],
    ['Example.COM.', 'example.com', null],
    ['example.com:8443', 'example.com', 8443],
    ['intranet', 'intranet', null],
    ['*.example.com', '*.example.com', null],
    ['*.Example.com.:443', '*.example.com', 443],
    ['*', '*', null],
    ['*:443', '*', 443],
    ['11.0.0.5', '11.0.0.5', null],
    ['11.0.0.5:1', '11.0.0.5', 1],
    ['10.0.0.0/8', '10.0.0.0/8', null],
    ['10.0.0.0/8:5432', '10.0.0.0/8', 5432],
    ['10.1.2.3/32', '10.1.2.3', null],
    ['[2001:DB8::1]', '2001:db8::1', null],
    ['[2001:db8::1]:443', '2001:db8::1', 443],
    ['2001:db8::1', '2001:db8::1', null],
    ['::1', '::1', null],
    ['::443', '::443', null],
    ['2001:db8::/32', '2001:db8::/32', null],
    ['[2001:db8::/32]:443', '2001:db8::/32', 443],
    ['[2001:db8::]/32:443', '2001:db8::/32', 443],
    ['2001:db8::/32:443', '2001:db8::/32', 443],
    ['::1/128', '::1', null],
    ['0.0.0.0/0', '0.0.0.0/0', null],
    ['example.com:65535', 'example.com', 65_535],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example', null],
  ];
  for (const [text, host, port] of entries)
    assert.deepEqual(parseEntry(text, '/allowed_hosts/0'), { ok: true, value: { host, port } }, text);
});

const STAR = 'a star stands only for all labels at the beginning, as in "*.example.com"';
/** Texts that are refused, with the fault and what is suggested. */
const REFUSED: readonly (readonly [string, string, string | undefined])[] = [
  ['', 'it is empty', undefined],
  ['http://example.com', 'a host is written without scheme, user and path', 'Write "example.com".'],
  ['https://example.com:8443/x?y', 'a host is written without scheme, user and path', 'Write "example.com:8443".'],
  ['user@example.com', 'a host is written without scheme, user and path', 'Write "example.com".'],
  ['https://a:b@example.com/', 'a host is written without scheme, user and path', 'Write "example.com".'],
  ['example.com/', 'a host is written without path', 'Write "example.com".'],
  ['example.com/path', 'a host is written without path', 'Write "example.com".'],
  ['example.com?x', 'a host is written without path', 'Write "example.com".'],
  [' example.com', 'it holds white space', 'Write "example.com".'],
  ['example.com example.org', 'it holds white space', undefined],
  ['*.com', 'it stands for everything below a top-level name', 'Name at least two labels, as in "*.example.com".'],
  [
    '*.localhost',
    'it stands for everything below a top-level name',
    'Name at least two labels, as in "*.example.com".',
  ],
  ['exa*mple.com', STAR, undefined],
  ['*example.com', STAR, 'Write "*.example.com", and "example.com" for the name itself.'],
  ['**.example.com', STAR, 'Write "*.example.com", and "example.com" for the name itself.'],
  ['*.*.example.com', STAR, 'Write "*.example.com", and "example.com" for the name itself.'],
  ['.example.com', STAR, 'Write "*.example.com", and "example.com" for the name itself.'],
  ['example.*', STAR, undefined],
  ['*.', 'it is empty', undefined],
  ['*.10', 'its last label is a number, as that of an address', undefined],
  ['example.com:', 'its port is none between 1 and 65535', 'Write "example.com".'],
  ['example.com:0', 'its port is none between 1 and 65535', 'Write "example.com".'],
  ['example.com:65536', 'its port is none between 1 and 65535', 'Write "example.com".'],
  ['example.com:0443', 'its port is none between 1 and 65535', 'Write "example.com".'],
  ['example.com:https', 'its port is none between 1 and 65535', 'Write "example.com".'],
  ['example.com:*', 'its port is none between 1 and 65535', 'Write "example.com".'],
  ['127.1', 'it is an IPv4 address in an unusual form', 'Write "127.0.0.1".'],
  ['10.0.0.1.', 'it is an IPv4 address in an unusual form', 'Write "10.0.0.1".'],
  ['0x7f.1', 'it is an IPv4 address in an unusual form', 'Write "127.0.0.1".'],
  ['[::ffff:10.0.0.1]', 'it is an IPv4 address in an unusual form', 'Write "10.0.0.1".'],
  ['[::ffff:10.0.0.0/104]', 'it is a range of IPv4 addresses', 'Write "10.0.0.0/8".'],
  ['10.0.0.1/8', 'bits beyond its prefix of 8 are set', 'Write "10.0.0.0/8".'],
  ['10.0.0.0/33', 'its prefix has more than 32 bits', undefined],
  ['example.com/24', 'a host is written without path', 'Write "example.com".'],
  ['::1:443', 'its last number may be a port or a part of the address', 'Write "[::1]:443" or "[::1:443]".'],
  ['[10.0.0.1]:80', 'brackets are for IPv6 addresses', 'Write "10.0.0.1:80".'],
  ['[example.com]', 'brackets are for IPv6 addresses', 'Write "example.com".'],
  ['[::1', 'its brackets hold no address', undefined],
  ['[fe80::1%eth0]', 'an address with a zone means something else on every machine', undefined],
  ['a_b.example.com', 'it holds a character that is neither a letter, a digit, a hyphen nor a dot', undefined],
  ['example..com', 'it has an empty label', undefined],
  ['1.2.3.4.5', 'its last label is a number, as that of an address', undefined],
  ['1.2.3.256', 'its last label is a number, as that of an address', undefined],
  [
    'b\u00fccher.example',
    'it holds characters beyond ASCII',
    'Write the name as it stands in the DNS, with labels that begin with "xn--".',
  ],
];

test('what can be meant in another way is refused with that way', () => {
  for (const [text, fault, suggestion] of REFUSED) {
    const result = parseEntry(text, '/allowed_hosts/3');
    assert.ok(!result.ok, text);
    const [problem, ...more] = result.problems;
    assert.deepEqual(more, []);
    assert.equal(problem?.code, 'card.host-pattern');
    assert.equal(problem?.pointer, '/allowed_hosts/3');
    assert.equal(problem?.message.split(' is no host of a rule: ')[1], `${fault}.`, text);
    assert.equal(problem?.suggestion, suggestion, text);
  }
});

test('what is suggested is taken', () => {
  const texts = [
    'http://example.com/',
    '*example.com',
    '127.1',
    '10.0.0.1/8',
    '::1:443',
    '[10.0.0.1]:80',
    'example.com:x',
  ];
  for (const text of texts) {
    const result = parseEntry(text, '');
    const suggestion = result.ok ? '' : (result.problems[0]?.suggestion ?? '');
    const quoted = [...suggestion.matchAll(/"([^"]+)"/g)].map(([, inner = '']) => inner);
    assert.notEqual(quoted.length, 0, text);
    for (const one of quoted) assert.equal(parseEntry(one, '').ok, true, one);
  }
});

const PIECES = [
  ...[
    'example',
    'com',
    'a',
    'xn--bcher-kva',
    'EXAMPLE',
    '*',
    '**',
    '.',
    '..',
    ':',
    '::',
    '[',
    ']',
    '/',
    '//',
    'http:',
    '@',
  ],
  ...[
    '10',
    '0',
    '127',
    '256',
    '0x7f',
    '017',
    '443',
    '65536',
    '8',
    '32',
    '128',
    'ffff',
    'db8',
    '2001',
    '%',
    '%25',
    ' ',
    '\u0000',
  ],
  ...[
    '\n',
    '-',
    '_',
    '#',
    '?',
    '\\',
    '\u3002',
    '\u00ad',
    '\u212a',
    '1.2.3.4',
    '::1',
    '::ffff:1.2.3.4',
    'localhost',
    '',
  ],
] as [string, ...string[]];

test('of a hundred thousand made-up texts those that are taken render to a text that means the same', () => {
  const random = seededRandom(20_261_121);
  const taken = new Set<string>();
  for (let round = 0; round < 100_000; round += 1) {
    const text = Array.from({ length: 1 + random.below(7) }, () => random.pick(PIECES)).join('');
    const result = parseEntry(text, '/x');
    if (!result.ok) {
      assert.ok(result.problems.every(({ code, pointer }) => code === 'card.host-pattern' && pointer === '/x'));
      continue;
    }
    const { host, port } = result.value;
    taken.add(host);
    assert.deepEqual(parseEntry(entryText(host, port), '/x'), result, text);
    assert.match(host, /^[a-z0-9*.:/-]+$/, text);
    const reading = parsePattern(host);
    assert.ok(reading.ok, host);
    assert.equal(patternText(reading.pattern), host);
  }
  assert.ok(taken.size > 300, `${taken.size}`);
});

test('no text that is taken loses a character that could matter', () => {
  const random = seededRandom(77);
  for (let round = 0; round < 20_000; round += 1) {
    const text = Array.from({ length: 1 + random.below(7) }, () => random.pick(PIECES)).join('');
    const reading = parsePattern(text);
    if (!reading.ok || reading.pattern.kind === 'address' || reading.pattern.kind === 'range') continue;
    assert.equal(patternText(reading.pattern), text.toLowerCase().replace(/\.$/, ''), text);
  }
});
