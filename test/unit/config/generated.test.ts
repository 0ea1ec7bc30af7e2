import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { CHECKOUT } from '../../helpers/checkout.ts';

interface Generator {
  readonly configFiles: () => Promise<readonly { readonly path: string; readonly text: string }[]>;
}

test('the files generated from the schema of the configuration are those that are committed', async () => {
  const generator = (await import(pathToFileURL(join(CHECKOUT, 'src/setup/generate-config.mjs')).href)) as Generator;
  const files = await generator.configFiles();
  assert.deepEqual(
    files.map(({ path }) => path),
    [
      'src/config/config.gen.ts',
      'src/config/config-keys.gen.ts',
      'src/config/config-validator.gen.ts',
      'schema/config.md',
    ],
  );
  for (const { path, text } of files) {
    assert.equal(readFileSync(join(CHECKOUT, path), 'utf8'), text, `${path} is stale: npm run generate writes it`);
  }
});
