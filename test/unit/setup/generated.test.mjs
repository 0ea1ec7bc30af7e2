import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { inCheckout } from '../../../src/setup/checkout.mjs';
import { auditFiles } from '../../../src/setup/generate-audit.mjs';
import { cardFiles } from '../../../src/setup/generate-card.mjs';
import { configFiles } from '../../../src/setup/generate-config.mjs';
import { nixFiles } from '../../../src/setup/generate-nix.mjs';

/** Who makes which files of a schema. */
const GENERATED = [
  {
    subject: 'the schema of the card',
    generate: cardFiles,
    paths: [
      'src/card/card.gen.ts',
      'src/card/card-keys.gen.ts',
      'src/card/card-validator.gen.ts',
      'schema/agent-card.md',
    ],
  },
  {
    subject: 'the schema of the configuration',
    generate: configFiles,
    paths: [
      'src/config/config.gen.ts',
      'src/config/config-keys.gen.ts',
      'src/config/config-validator.gen.ts',
      'schema/config.md',
    ],
  },
  { subject: 'the schema of the audit', generate: auditFiles, paths: ['src/audit/event.gen.ts'] },
  {
    subject: 'both schemas, for Nix',
    generate: nixFiles,
    paths: ['nix/module/card.gen.nix', 'nix/module/config.gen.nix', 'nix/options.md'],
  },
];

for (const { subject, generate, paths } of GENERATED) {
  test(`the files generated from ${subject} are those that are committed`, async () => {
    const files = await generate();
    assert.deepEqual(
      files.map(({ path }) => path),
      paths,
    );
    for (const { path, text } of files) {
      assert.equal(readFileSync(inCheckout(path), 'utf8'), text, `${path} is stale: npm run generate writes it`);
    }
  });
}

for (const path of ['src/card/card-validator.gen.ts', 'src/config/config-validator.gen.ts']) {
  test(`${path} needs nothing at run time`, () => {
    const text = readFileSync(inCheckout(path), 'utf8');
    const imports = text.match(/\b(?:import|require)\b[^;]*;/g) ?? [];
    assert.deepEqual(imports, ["import type { ErrorObject } from 'ajv';"]);
  });
}
