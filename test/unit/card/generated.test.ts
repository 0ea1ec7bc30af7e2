import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { CHECKOUT } from '../../helpers/checkout.ts';

interface Generator {
  readonly cardFiles: () => Promise<readonly { readonly path: string; readonly text: string }[]>;
}

test('the files generated from the schema of the card are those that are committed', async () => {
  const generator = (await import(pathToFileURL(join(CHECKOUT, 'src/setup/generate-card.mjs')).href)) as Generator;
  const files = await generator.cardFiles();
  assert.deepEqual(
    files.map(({ path }) => path),
    ['src/card/card.gen.ts', 'src/card/card-keys.gen.ts', 'src/card/card-validator.gen.ts', 'schema/agent-card.md'],
  );
  for (const { path, text } of files) {
    assert.equal(readFileSync(join(CHECKOUT, path), 'utf8'), text, `${path} is stale: npm run generate writes it`);
  }
});

test('the generated validator needs nothing at run time', () => {
  const text = readFileSync(join(CHECKOUT, 'src/card/card-validator.gen.ts'), 'utf8');
  const imports = text.match(/\b(?:import|require)\b[^;]*;/g) ?? [];
  assert.deepEqual(imports, ["import type { ErrorObject } from 'ajv';"]);
});
