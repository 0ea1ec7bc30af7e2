import assert from 'node:assert/strict';
import test from 'node:test';
import { listProjectFiles, readProjectFile } from './source-file.ts';

/** What must not stand in any file of the project, and why. The patterns are spelled so that they do not match themselves. */
const FORBIDDEN: readonly { readonly why: string; readonly pattern: RegExp }[] = [
  {
    why: 'a path of the machine it was written on',
    pattern: /(?<![\w/])\/(work|home\/(?!agent\b)[a-z]+)\/(?!\$)[\w.-]+/,
  },
  {
    why: 'a package registry: npm and apt know theirs',
    pattern: /\b(registry\.npmjs\.org|npmmirror|deb\.debian\.org|[\w.-]*artifactory[\w.-]*)\b/,
  },
  { why: 'work left for later', pattern: /\b(TO[D]O|FIX[M]E|X[X]X)\b/ },
  { why: 'an emoji', pattern: /\p{Emoji_Presentation}/u },
  { why: 'a conflict marker', pattern: /^(<{7}|>{7}) /m },
];

/** Files that quote others: licences, locks and recorded output. */
const QUOTING = /^(LICENSE|package-lock\.json|test\/golden\/|test\/style\/text\.test\.ts$)/;

const files = listProjectFiles().filter((path) => !QUOTING.test(path));

test('no file holds a machine path, a registry, unfinished work or an emoji', () => {
  const problems = files.flatMap((path) => judgeText(path, readProjectFile(path)));
  assert.deepEqual(problems, []);
});

test('each forbidden thing is found', () => {
  const samples = [
    `cd /${'work'}/main`,
    `curl https://registry.${'npmjs'}.org/x`,
    '// TO' + 'DO later',
    '\u{1F600}',
    `${'<'.repeat(7)} HEAD`,
  ];
  assert.deepEqual(
    samples.map((text) => judgeText('sample', text)),
    FORBIDDEN.map(({ why }, index) => [`sample: ${why}: ${FORBIDDEN[index]?.pattern.exec(samples[index] ?? '')?.[0]}`]),
  );
});

test('documents link only to files that exist', () => {
  const known = new Set(listProjectFiles());
  const documents = files.filter((path) => path.endsWith('.md'));
  const problems = documents.flatMap((path) =>
    listLinks(readProjectFile(path))
      .map((link) => ({ link, target: resolveLink(path, link) }))
      .filter(({ target }) => !known.has(target) && ![...known].some((file) => file.startsWith(`${target}/`)))
      .map(({ link }) => `${path}: ${link}`),
  );
  assert.deepEqual(problems, []);
});

test('files of the project that a document names in code quotes exist', () => {
  const known = new Set(listProjectFiles());
  const problems = files
    .filter((path) => path.endsWith('.md'))
    .flatMap((path) =>
      listQuotedFiles(readProjectFile(path))
        .filter((name) => !known.has(name))
        .map((name) => `${path}: ${name}`),
    );
  assert.deepEqual(problems, []);
});

test('links and quoted file names are recognised', () => {
  const text = 'See [a](docs/a.md#part), [b](https://example.org), `src/base/ids.ts`, `npm test`, [c](../c.md).';
  assert.deepEqual(listLinks(text), ['docs/a.md', '../c.md']);
  assert.deepEqual(resolveLink('nix/README.md', '../c.md'), 'c.md');
  assert.deepEqual(listQuotedFiles(text), ['src/base/ids.ts']);
});

function judgeText(path: string, text: string): readonly string[] {
  return FORBIDDEN.flatMap(({ why, pattern }) => {
    const found = pattern.exec(text);
    return found === null ? [] : [`${path}: ${why}: ${found[0]}`];
  });
}

function listLinks(text: string): readonly string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target.replace(/#.*$/, ''))
    .filter((target) => target !== '' && !/^[a-z]+:/.test(target));
}

function listQuotedFiles(text: string): readonly string[] {
  return [...text.matchAll(/`((?:src|test|units|schema|nix)\/[\w./@-]+\.(?:ts|mjs|json|service|socket|slice))`/g)].map(
    ([, name = '']) => name,
  );
}

function resolveLink(document: string, link: string): string {
  return new URL(link, `file:///${document}`).pathname.slice(1).replace(/\/$/, '');
}
