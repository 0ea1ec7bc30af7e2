import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { CHECKOUT } from '../../helpers/checkout.ts';

interface Generator {
  readonly auditFiles: () => Promise<readonly { readonly path: string; readonly text: string }[]>;
}

test('the types generated from the schema of the audit are those that are committed', async () => {
  const generator = (await import(pathToFileURL(join(CHECKOUT, 'src/setup/generate-audit.mjs')).href)) as Generator;
  const files = await generator.auditFiles();
  assert.deepEqual(
    files.map(({ path }) => path),
    ['src/audit/event.gen.ts'],
  );
  for (const { path, text } of files) {
    assert.equal(readFileSync(join(CHECKOUT, path), 'utf8'), text, `${path} is stale: npm run generate writes it`);
  }
});
