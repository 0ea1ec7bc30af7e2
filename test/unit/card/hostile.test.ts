import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CARD_BYTES_MAX } from '../../../src/base/limits.ts';
import type { CardFormat } from '../../../src/card/reading.ts';
import { CHECKOUT } from '../../helpers/checkout.ts';
import { cardWith, parse } from './verdict.ts';

/**
 * Processor time one card may take, milliseconds. Reading 256 KiB takes some tens; work that grew with the square of
 * the length would be 6.9e10 steps, which takes minutes, so neither verdict hangs on the speed of the machine.
 */
const CPU_MS_MAX = 5_000;

/** Room that the rest of a card needs. */
const FILLED = CARD_BYTES_MAX - 300;

/** A text of repeated units that is as long as a card can hold. */
function long(unit: string): string {
  return unit.repeat(Math.floor(FILLED / Buffer.byteLength(JSON.stringify(unit).slice(1, -1))));
}

/** Processor time of a verdict, milliseconds. */
function cpuMs(card: unknown, format: CardFormat): number {
  const before = process.cpuUsage();
  const result = parse(card, format);
  const { user, system } = process.cpuUsage(before);
  // A verdict on the size alone would say nothing about the rest of the work.
  assert.ok(!result.ok && result.problems.every(({ code }) => code !== 'card.too-large'));
  return (user + system) / 1000;
}

/** Texts made to let a pattern try again and again, each with a last character that spoils the match. */
const SPOILT: readonly (readonly [string, string])[] = [
  ['a', '-'],
  ['-', 'a-'],
  ['a-', '_'],
  ['/a', '\0'],
  ['/..a', '/..'],
  ['/', 'a'],
  ['/.', 'a'],
  ['a.', '/'],
  ['a:', ' '],
  ['*', '\u0001'],
  ['1', '\0'],
  ['[', ']'],
  ['ü', '\0'],
];

test('no long text of any key takes more than its share of time', () => {
  for (const [unit, end] of SPOILT) {
    for (const start of ['', 'http://', '/', '[']) {
      const text = `${start}${long(unit)}${end}`.slice(0, FILLED);
      const cards: readonly Readonly<Record<string, unknown>>[] = [
        { agent_id: text },
        { workspace: text },
        { description: `${text}\0` },
        { command: [text, '\0'] },
        { allowed_hosts: [`${text} `] },
        { proxy: text },
        { network: { publish: [{ port: 1, listen: text }] } },
        { environment: { [text]: '' } },
        { labels: { [text]: '' } },
        { [text]: 1 },
        { agent: text },
        { ttl_seconds: text },
        { autostart: text },
      ];
      for (const keys of cards) {
        assert.ok(cpuMs(cardWith(keys), 'json') < CPU_MS_MAX, JSON.stringify([Object.keys(keys), unit, start]));
      }
    }
  }
});

/** As many numbered parts as a card can hold. */
function many(render: (index: number) => string): string {
  const parts: string[] = [];
  for (let index = 0, size = 0; size < FILLED; index += 1) {
    const part = render(index);
    parts.push(part);
    size += part.length;
  }
  return parts.join('').slice(0, FILLED);
}

test('no number of keys, problems or brackets takes more than its share of time', () => {
  const cards: readonly (readonly [string, CardFormat, string])[] = [
    ['unknown keys', 'json', `{${many((index) => `"k${index}":1,\n`)}`.replace(/,[^,]*$/, '}')],
    ['one key again and again', 'json', `{${many(() => '"a":1,\n')}`.replace(/,[^,]*$/, '}')],
    ['every key twice', 'json', `{${many((index) => `"k${index >> 1}":1,\n`)}`.replace(/,[^,]*$/, '}')],
    ['forbidden keys', 'json', `{"labels":[${many(() => '{"constructor":1},\n')}`.replace(/,[^,]*$/, ']}')],
    ['wrong variables', 'json', `{"environment":{${many((index) => `"k ${index}":1,`)}`.replace(/,[^,]*$/, '}}')],
    ['numbers', 'json', `[${many(() => '1e999,')}1]`],
    ['open brackets', 'json', many(() => '[')],
    ['open texts', 'json', many(() => '"')],
    ['white space', 'json', many(() => ' \n')],
    ['escapes', 'json', `{"a":"${many(() => '\\u0041').slice(0, 6 * 40_000)}"`],
    ['unknown keys', 'toml', many((index) => `k${index}=1\n`)],
    ['tables', 'toml', many((index) => `[k${index}]\n`)],
    ['lists of tables', 'toml', many(() => '[[k]]\n')],
    ['dotted keys', 'toml', `a${many(() => '.a')}=1`],
    ['dotted tables', 'toml', `[a${many(() => '.a')}]`],
    ['long lists', 'toml', `a=[${many(() => '1,')}]`],
    ['open brackets', 'toml', `a=${many(() => '[')}`],
    ['open quotes', 'toml', `a=${many(() => '"')}`],
    ['comments', 'toml', many(() => '#\n')],
  ];
  for (const [name, format, card] of cards) assert.ok(cpuMs(card, format) < CPU_MS_MAX, `${name} in ${format}`);
});

test('no pattern of the schema repeats a repetition that has no fixed start', () => {
  const patterns = [
    ...readFileSync(join(CHECKOUT, 'schema/agent-card.schema.json'), 'utf8').matchAll(/"pattern": "(.*)"/g),
  ];
  assert.ok(patterns.length >= 14);
  const risky = patterns.map(([, pattern = '']) => pattern).filter(repeatsRepetition);
  // A part of a path starts with the slash that ends the one before it, so there is one way to match.
  assert.deepEqual(
    risky.map((pattern) => /\(\?:\/\(\?!.{21}/.exec(pattern)?.[0]),
    risky.map(() => PATH_START),
  );
});

/** How the repeated part of a path begins, in a pattern. */
const PATH_START = '(?:/(?!\\\\.{1,2}(?:/|$))[^/\\\\';

/** Whether a group that holds a `*` or `+` is itself repeated without bound. */
function repeatsRepetition(pattern: string): boolean {
  const plain = pattern.replace(/\\\\./g, 'x').replace(/\[[^\]]*\]/g, 'x');
  const groups: boolean[] = [];
  let risky = false;
  for (const [index, character] of [...plain].entries()) {
    if (character === '(') groups.push(false);
    if (character === '*' || character === '+') groups.fill(true);
    if (character === ')' && groups.pop() === true && /[*+]/.test(plain[index + 1] ?? '')) risky = true;
  }
  return risky;
}

test('a repeated repetition is found', () => {
  assert.deepEqual(
    ['^(a+)+$', '^(?:a|b*)*$', '^(?:[a+]x)+$', '^(?:a{1,9})*$', '^a+(?:b)?c*$', '^((a+)b)*$'].map(repeatsRepetition),
    [true, true, false, false, false, true],
  );
});
