import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKOUT } from '../../helpers/checkout.ts';

/** Compares a text with the recorded one; with `GOLDEN=rewrite` in the environment it is recorded anew. */
export function assertGolden(name: string, text: string): void {
  const path = join(CHECKOUT, 'test/unit/cli/golden', name);
  if (process.env['GOLDEN'] === 'rewrite') writeFileSync(path, text);
  assert.equal(text, existsSync(path) ? readFileSync(path, 'utf8') : `(${name} is not recorded)`);
}
