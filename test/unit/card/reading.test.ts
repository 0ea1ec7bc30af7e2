import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CARD_BYTES_MAX } from '../../../src/base/limits.ts';
import { parseCard } from '../../../src/card/parse.ts';
import { cardWith, parse, problemLine, problemLines } from './verdict.ts';

const MINIMAL = '{"agent_id": "dev", "workspace": "/mnt/agents/dev"}';
const MINIMAL_TOML = 'agent_id = "dev"\nworkspace = "/mnt/agents/dev"\n';

/** Problems of a card given as bytes. */
function linesOf(bytes: Uint8Array): readonly string[] {
  const result = parseCard(bytes, { format: 'json' });
  return result.ok ? [] : result.problems.map(problemLine);
}

test('a card is read from JSON and from TOML to the same value', () => {
  const expected = { ok: true, value: { agent_id: 'dev', workspace: '/mnt/agents/dev' } };
  assert.deepEqual(parse(MINIMAL), expected);
  assert.deepEqual(parse(MINIMAL_TOML, 'toml'), expected);
});

test('a parsed card is frozen in every part', () => {
  const result = parse(cardWith({ labels: { a: 'b' }, command: ['a'], network: { publish: [{ port: 8080 }] } }));
  assert.ok(result.ok);
  const parts: unknown[] = [result.value];
  for (const part of parts) {
    assert.ok(Object.isFrozen(part));
    if (typeof part === 'object' && part !== null) parts.push(...Object.values(part));
  }
  assert.ok(parts.length > 8);
});

test('a byte order mark at the start is skipped, a second one is not', () => {
  assert.equal(parse(`\ufeff${MINIMAL}`).ok, true);
  assert.equal(parse(`\ufeff${MINIMAL_TOML}`, 'toml').ok, true);
  assert.deepEqual(problemLines(`\ufeff\ufeff${MINIMAL}`), [
    'card.syntax : The card is not well-formed JSON at line 1, column 1: a value is expected, not "\ufeff".',
  ]);
});

test('bytes that are not UTF-8 are refused with their place', () => {
  const start = new TextEncoder().encode('{"a": "');
  const sequences = [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]];
  assert.deepEqual(
    sequences.map((bytes) => linesOf(Uint8Array.from([...start, ...bytes]))),
    sequences.map(() => ['card.syntax : The card is not UTF-8 text (byte 7). [Save it as UTF-8.]']),
  );
  assert.deepEqual(linesOf(Uint8Array.from([0xff, 0xfe, 0x7b, 0x00])), [
    'card.syntax : The card is not UTF-8 text, but looks like UTF-16. [Save it as UTF-8.]',
  ]);
});

test('a card of 256 KiB is read, one byte more is refused', () => {
  const padded = MINIMAL.padEnd(CARD_BYTES_MAX, ' ');
  assert.equal(parse(padded).ok, true);
  assert.deepEqual(problemLines(`${padded} `), [
    'card.too-large : The card has 262145 bytes; 262144 are the most. [Put long texts in files of the workspace.]',
  ]);
});

test('sixteen levels are read, the seventeenth is refused before anything is built', () => {
  const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;
  assert.deepEqual(problemLines(nested(16)), ['card.wrong-type : The card must be an object, but is a list.']);
  assert.deepEqual(problemLines(nested(17)), [
    `card.too-deep ${'/0'.repeat(16)}: The card nests deeper than 16 levels at line 1, column 17; the deepest key of a card needs 4.`,
  ]);
  assert.deepEqual(problemLines('['.repeat(200_000)), problemLines(nested(17)));
  assert.deepEqual(
    problemLines('{"a":'.repeat(50_000)).map((line) => line.split(':')[0]),
    [`card.too-deep ${'/a'.repeat(16)}`],
  );
});

test('TOML is bounded in depth the same way, however it is nested', () => {
  const inline = `a = ${'['.repeat(100_000)}`;
  assert.deepEqual(problemLines(inline, 'toml'), [
    'card.too-deep : The card nests deeper than 16 levels at line 1, column 21; the deepest key of a card needs 4.',
  ]);
  const dotted = (levels: number): string => `${Array.from({ length: levels }, () => 'a').join('.')} = 1`;
  const deep = `card.too-deep ${'/a'.repeat(16)}: The card nests deeper than 16 levels; the deepest key of a card needs 4.`;
  assert.deepEqual(problemLines(dotted(17), 'toml'), [deep]);
  assert.deepEqual(problemLines(dotted(100_000), 'toml'), [deep]);
  assert.deepEqual(problemLines(`[${dotted(100_000).slice(0, -4)}]`, 'toml'), [deep]);
  assert.equal(
    problemLines(dotted(16), 'toml').some((line) => line.startsWith('card.too-deep')),
    false,
  );
});

test('numbers mean what they are, not how they are written', () => {
  for (const number of ['4096', '4096.0', '4.096e3', '40960E-1', '4096000e-3']) {
    assert.deepEqual(parse(`{"agent_id":"a","workspace":"/a","resource_limits":{"memory_mb":${number}}}`), {
      ok: true,
      value: { agent_id: 'a', workspace: '/a', resource_limits: { memory_mb: 4096 } },
    });
  }
  const zero = parse('{"agent_id":"a","workspace":"/a","ttl_seconds":-0}');
  assert.ok(zero.ok && Object.is(zero.value.ttl_seconds, 0));
});

test('a number beyond a double is refused in both formats', () => {
  assert.deepEqual(problemLines('{"agent_id":"a","workspace":"/a","ttl_seconds":1e400}'), [
    'card.out-of-range /ttl_seconds: The number 1e400 is beyond every bound.',
  ]);
  assert.deepEqual(problemLines(`{"agent_id":"a","workspace":"/a","ttl_seconds":${'9'.repeat(1000)}}`), [
    `card.out-of-range /ttl_seconds: The number ${'9'.repeat(39)}… is beyond every bound.`,
  ]);
  const toml = (number: string): readonly string[] => problemLines(`${MINIMAL_TOML}ttl_seconds = ${number}`, 'toml');
  assert.deepEqual(
    ['inf', '-inf', 'nan', '1e400'].map((number) => toml(number)),
    [
      ['card.out-of-range /ttl_seconds: The number inf is beyond every bound.'],
      ['card.out-of-range /ttl_seconds: The number -inf is beyond every bound.'],
      ['card.out-of-range /ttl_seconds: The number nan is beyond every bound.'],
      ['card.out-of-range /ttl_seconds: The number inf is beyond every bound.'],
    ],
  );
  assert.deepEqual(toml('9007199254740993'), [
    'card.out-of-range /ttl_seconds: "ttl_seconds" is 9007199254740992, but must be from 0 to 31536000.',
  ]);
});

test('TOML numbers in other bases and with separators are read', () => {
  assert.deepEqual(parse(`${MINIMAL_TOML}ttl_seconds = 0x10\nstop_timeout_seconds = 1_0\na2a_port = 8_080`, 'toml'), {
    ok: true,
    value: { agent_id: 'dev', workspace: '/mnt/agents/dev', ttl_seconds: 16, stop_timeout_seconds: 10, a2a_port: 8080 },
  });
});

test('a date of TOML is no value of a card', () => {
  const dates = ['2020-01-01', '2020-01-01T00:00:00Z', '07:32:00', '2020-01-01T00:00:00'];
  assert.deepEqual(
    dates.map((date) => problemLines(`${MINIMAL_TOML}description = ${date}`, 'toml')),
    dates.map(() => [
      'card.wrong-type /description: A date is written here, but no key of a card holds one. [Put it in quotes if a text is meant.]',
    ]),
  );
  assert.deepEqual(
    problemLines('agent_id = 2020-01-01\nworkspace = "/a"', 'toml').map((line) => line.split(':')[0]),
    ['card.wrong-type /agent_id'],
  );
});

test('a fault of TOML is told with its place', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['a = [', 'line 1, column 5: unfinished array.'],
    ['agent_id = "a"\nworkspace = ', 'line 2, column 13: invalid value.'],
    ['= 1', 'line 1, column 1: unexpected end of key.'],
    ['a = "\u0001"', 'line 1, column 6: control characters are not allowed in strings.'],
    ['a = "\\ud800"', 'line 1, column 6: invalid unicode escape.'],
  ];
  assert.deepEqual(
    cases.map(([text]) => problemLines(text, 'toml')),
    cases.map(([, line]) => [`card.syntax : The card is not well-formed TOML at ${line}`]),
  );
});

test('a key or table that TOML has twice is told to be twice', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['a = 1\na = 2', 'line 2, column 1'],
    ['[a]\n[a]', 'line 2, column 2'],
    ['a.b = 1\n[a]', 'line 2, column 2'],
    ['a = {b = 1, b = 2}', 'line 1, column 13'],
    ['[[a]]\n[a]', 'line 2, column 2'],
  ];
  assert.deepEqual(
    cases.map(([text]) => problemLines(text, 'toml')),
    cases.map(([, place]) => [
      `card.duplicate-key : A key or table is given a second time at ${place}. [Keep one of them.]`,
    ]),
  );
});

test('a key that JSON has twice is told with both places, however it is spelt, along with everything else', () => {
  const text = '{\n  "agent_id": "a",\n  "workspace": "/a",\n  "\\u0061gent_id": "b",\n  "agent_id": "c", "x": 1\n}';
  assert.deepEqual(problemLines(text), [
    'card.duplicate-key /agent_id: The key "agent_id" occurs twice: at line 2, column 3 and at line 4, column 3. [Keep one of them.]',
    'card.unknown-key /x: The card has no key "x".',
  ]);
  assert.deepEqual(problemLines('{"agent_id":"a","workspace":"/a","labels":{"x":"1","y":"2","x":"1"}}'), [
    'card.duplicate-key /labels/x: The key "x" occurs twice: at line 1, column 44 and at line 1, column 60. [Keep one of them.]',
  ]);
});

test('the same key in two objects is no duplicate', () => {
  const ports = '[{"port": 8080}, {"port": 8081}]';
  assert.equal(parse(`{"agent_id":"a","workspace":"/a","network":{"publish":${ports}}}`).ok, true);
});
