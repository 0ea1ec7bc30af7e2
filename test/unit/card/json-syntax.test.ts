import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemLines } from './verdict.ts';

/** Text of a card, and what is said after "The card is not well-formed JSON at ". */
const SYNTAX: readonly (readonly [string, string])[] = [
  ['{', 'line 1, column 2: it ends while the "{" of line 1, column 1 is still open. [Add the missing "}".]'],
  [
    '{\n  "a": [1,\n',
    'line 3, column 1: it ends while the "[" of line 2, column 8 is still open. [Add the missing "]".]',
  ],
  ['{"a": 1,}', 'line 1, column 9: the comma before "}" is one too many. [Remove the comma.]'],
  ['{"a": [1,]}', 'line 1, column 10: the comma before "]" is one too many. [Remove the comma.]'],
  ['{,}', 'line 1, column 2: a key in double quotes is expected, not ",".'],
  ["{'a': 1}", 'line 1, column 2: texts and keys stand in double quotes, not single ones. [Write " instead.]'],
  ['{a: 1}', 'line 1, column 2: the key a does not stand in double quotes. [Write "a".]'],
  ['{1: 1}', 'line 1, column 2: the key 1 does not stand in double quotes. [Write "1".]'],
  ['{"a" 1}', 'line 1, column 6: a colon is missing after the key "a". [Write "a": before the value.]'],
  ['{"a" = 1}', 'line 1, column 6: a colon is missing after the key "a". [Write "a": before the value.]'],
  ['{"a": }', 'line 1, column 7: a value is expected for the key "a", not "}".'],
  ['[,]', 'line 1, column 2: a value is expected, not ",".'],
  ['{"a": 1 "b": 2}', 'line 1, column 9: a comma is missing before "b". [Write a comma between two entries.]'],
  ['[1 2]', 'line 1, column 4: a comma is missing before "2". [Write a comma between two entries.]'],
  ['["a": 1]', 'line 1, column 5: a list has no keys. [Use { and } for keys with values.]'],
  ['{"a": 1]', 'line 1, column 8: "]" does not close the "{" of line 1, column 1. [Write "}" first.]'],
  ['{} {}', 'line 1, column 4: nothing may follow the card, but "{" does. [Remove what follows.]'],
  ['{} "more"', 'line 1, column 4: nothing may follow the card, but "more" does. [Remove what follows.]'],
  ['// a comment\n{}', 'line 1, column 1: JSON has no comments. [Remove it, or write the card in TOML, which has.]'],
  ['{}# end', 'line 1, column 3: JSON has no comments. [Remove it, or write the card in TOML, which has.]'],
  [
    '{"a": True}',
    'line 1, column 7: "True" is not a value of JSON. [JSON writes true, false and null, and text in double quotes.]',
  ],
  [
    '{"a": undefined}',
    'line 1, column 7: "undefined" is not a value of JSON. [JSON writes true, false and null, and text in double quotes.]',
  ],
  [
    '{"a": /mnt/agents}',
    'line 1, column 7: the text "/mnt/agents" does not stand in double quotes. [Put the text in double quotes.]',
  ],
  [
    '{"a": truely}',
    'line 1, column 7: the text "truely" does not stand in double quotes. [Put the text in double quotes.]',
  ],
  ...['01', '+1', '.5', '4g', '0x10', '1_000', '-', 'NaN', '-Infinity', '1e'].map(
    (number) =>
      [
        `{"a": ${number}}`,
        `line 1, column 7: "${number}" is not a number as JSON writes it. [Write digits, without sign +, leading zeros, units or separators; a text stands in double quotes.]`,
      ] as const,
  ),
  [
    '{"a": 1.}',
    'line 1, column 7: "1." is not a number as JSON writes it. [Write digits, without sign +, leading zeros, units or separators; a text stands in double quotes.]',
  ],
  [
    '{"a": "b\nc"}',
    'line 1, column 9: the text that starts at line 1, column 7 is not closed on its line. [Add the missing " at its end; a line break inside a text is written \\n.]',
  ],
  [
    '{"a": "b',
    'line 1, column 9: the text that starts at line 1, column 7 is not closed on its line. [Add the missing " at its end; a line break inside a text is written \\n.]',
  ],
  ['{"a": "b\tc"}', 'line 1, column 9: the text holds a tab. [Write \\t for a tab.]'],
  ['{"a": "b\u0007c"}', 'line 1, column 9: the text holds the control character U+0007.'],
  ['{"a": "C:\\temp\\q"}', 'line 1, column 15: "\\q" is not an escape of JSON. [Write \\\\ for a backslash.]'],
  ['{"a": "\\u12"}', 'line 1, column 8: "\\u" is not an escape of JSON. [Write \\\\ for a backslash.]'],
  ['{"a": "\\\u001b"}', 'line 1, column 8: "\\\\u001b" is not an escape of JSON. [Write \\\\ for a backslash.]'],
  ['\u00a0{}', 'line 1, column 1: a value is expected, not "\u00a0".'],
];

test('a fault of JSON is told with its place, its cause and its remedy', () => {
  assert.deepEqual(
    SYNTAX.map(([text]) => problemLines(text)),
    SYNTAX.map(([, line]) => [`card.syntax : The card is not well-formed JSON at ${line}`]),
  );
});

test('every one of these texts is refused by the JSON of the language too', () => {
  for (const [text] of SYNTAX) assert.throws(() => JSON.parse(text), SyntaxError, text);
});

test('an empty card is told to be empty', () => {
  const line = 'card.syntax : The card is empty. [Write {"agent_id": "dev-agent", "workspace": "/mnt/agents/dev"}.]';
  assert.deepEqual(
    ['', ' \n\t\r\n', '\ufeff'].map((text) => problemLines(text)),
    [[line], [line], [line]],
  );
});

test('an escape or a bare character is taken exactly when the language takes it', () => {
  const isTaken = (text: string): boolean => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };
  const isSyntax = (text: string): boolean => problemLines(text).some((line) => line.startsWith('card.syntax'));
  for (let code = 0; code < 0x100; code += 1) {
    const character = String.fromCharCode(code);
    for (const text of [
      `{"\\${character}": 1}`,
      `{"${character}": 1}`,
      `{"\\u${character}041": 1}`,
      `[1${character}1]`,
      `${character}{}`,
    ]) {
      assert.equal(isSyntax(text), !isTaken(text), JSON.stringify(text));
    }
  }
});
