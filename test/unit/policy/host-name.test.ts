import assert from 'node:assert/strict';
import test from 'node:test';
import { type HostNameFault, parseHostName } from '../../../src/policy/host-name.ts';

const LABEL = 'a'.repeat(63);
const LONGEST = `${LABEL}.${LABEL}.${LABEL}.${'a'.repeat(61)}`;

test('plain names are read to lower case without the final dot', () => {
  const names: readonly (readonly [string, string])[] = [
    ['api.example.com', 'api.example.com'],
    ['API.Example.COM', 'api.example.com'],
    ['api.example.com.', 'api.example.com'],
    ['intranet', 'intranet'],
    ['a-b.c--d.example', 'a-b.c--d.example'],
    ['1.example', '1.example'],
    ['0x1.example', '0x1.example'],
    ['1a', '1a'],
    ['0xg', '0xg'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['XN--BCHER-KVA.example', 'xn--bcher-kva.example'],
    [LABEL, LABEL],
    [LONGEST, LONGEST],
    [`${LONGEST}.`, LONGEST],
  ];
  for (const [text, name] of names) assert.deepEqual(parseHostName(text), { ok: true, name }, text);
});

test('what is no plain name is refused with its fault', () => {
  const refusals: readonly (readonly [string, HostNameFault])[] = [
    ['', 'empty'],
    ['.', 'empty-label'],
    ['..', 'empty-label'],
    ['a..example', 'empty-label'],
    ['example..', 'empty-label'],
    ['.example', 'empty-label'],
    [`${'a'.repeat(64)}.example`, 'long-label'],
    [`a${LONGEST}`, 'too-long'],
    ['a.'.repeat(100_000), 'too-long'],
    ['-a.example', 'hyphen'],
    ['a-.example', 'hyphen'],
    ['a_b.example', 'character'],
    ['a b.example', 'character'],
    [' a.example', 'character'],
    ['a.example\n', 'character'],
    ['a.example\u0000.evil.example', 'character'],
    ['a%2eexample', 'character'],
    ['a.example:443', 'character'],
    ['a.example/', 'character'],
    ['user@a.example', 'character'],
    ['[::1]', 'character'],
    ['*.example', 'character'],
    ['b\u00fccher.example', 'not-ascii'],
    ['a\u3002example', 'not-ascii'],
    ['a\uff0eexample', 'not-ascii'],
    ['ex\u00adample.example', 'not-ascii'],
    ['\u0435xample.example', 'not-ascii'],
    ['\u212aelvin.example', 'not-ascii'],
    ['127.0.0.1', 'numeric'],
    ['127.1', 'numeric'],
    ['2130706433', 'numeric'],
    ['0x7f000001', 'numeric'],
    ['a.0x', 'numeric'],
    ['a.example.0X7F', 'numeric'],
    ['a.example.08', 'numeric'],
    ['1.2.3.4.5', 'numeric'],
    ['127.0.0.1.', 'numeric'],
  ];
  for (const [text, fault] of refusals) assert.deepEqual(parseHostName(text), { ok: false, fault }, text.slice(0, 99));
});
