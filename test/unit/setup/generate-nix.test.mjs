import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markdown, nixParagraph, nixString, nixValue } from '../../../src/setup/nix-text.mjs';
import { posixPattern } from '../../../src/setup/posix-pattern.mjs';

test('a pattern of the schema becomes one of POSIX that takes at least as much', () => {
  const patterns = {
    '^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$': '[a-z0-9]([a-z0-9-]*[a-z0-9])?',
    '^(?:/(?!\\.{1,2}(?:/|$))[^/\\u0000-\\u001f]+)+$': '(/[^/]+)+',
    '^\\[[!-"&->@-\\[\\]-~]*\\]$': '[[][]!-"&->@-Z_-~[^]*[]]',
  };
  const found = Object.keys(patterns).map((pattern) => posixPattern(pattern)?.tokens.join(''));
  assert.deepEqual(found, Object.values(patterns));
});

test('a pattern that says nothing which POSIX can, or more than is known, becomes none', () => {
  const patterns = ['^[^\\u0000-\\u001f]*$', '^\\d+$', '^a.b$', '^[\\u0400-\\u04ff]$', 'a'];
  assert.deepEqual(
    patterns.map((pattern) => posixPattern(pattern)),
    patterns.map(() => undefined),
  );
});

test('values are written as nixfmt lays them out', () => {
  const value = { list: [1, true], 'odd name': `\${x} "y"\\`, deep: { one: { two: [] } }, many: { a: 1, b: 2 } };
  assert.equal(
    nixValue(value, ''),
    String.raw`{
  list = [ 1 true ];
  "odd name" = "\${x} \"y\"\\";
  deep = { one = { two = [ ]; }; };
  many = {
    a = 1;
    b = 2;
  };
}`,
  );
  assert.equal(nixString('a\nb\tc'), String.raw`"a\nb\tc"`);
});

test('a paragraph keeps what it says, whatever Nix reads into it', () => {
  const text = `two ''quotes'' and \${it}`;
  assert.equal(nixParagraph(text, '  '), `''\n    two '''quotes''' and ''\${it}\n  ''`);
});

test('code in a description is marked as such', () => {
  const text = 'off: no memory_mb (see AGENTS.md), *.NAME or ["bash", "-c"]; of api_key_file\'s agent.';
  assert.equal(
    markdown(text, ['off']),
    '`off`: no `memory_mb` (see `AGENTS.md`), `*.NAME` or `[ "bash" "-c" ]`; of `api_key_file`\'s agent.',
  );
});
