import assert from 'node:assert/strict';
import test from 'node:test';
import { buildModules } from '../../../src/setup/nix-modules.mjs';

const manifest = {
  name: 'sample',
  version: '1.2.3',
  scripts: { test: 'true' },
  dependencies: { runs: '1.0.0' },
  devDependencies: { esbuild: '2.0.0', linter: '3.0.0' },
};

const inner = { version: '5.0.0', integrity: 'sha512-inner' };
const outer = { version: '6.0.0', integrity: 'sha512-outer' };
const other = { version: '2.0.0', integrity: 'sha512-other', optional: true, os: ['plan9'] };
const bundler = { version: '2.0.0', integrity: 'sha512-b', optionalDependencies: { '@esbuild/plan9': '2.0.0' } };
const needed = { version: '1.0.0', integrity: 'sha512-r', dependencies: { shared: '5.0.0', back: '1.0.0' } };
const back = { version: '1.0.0', integrity: 'sha512-k', dependencies: { runs: '1.0.0', shared: '6.0.0' } };

const lock = {
  lockfileVersion: 3,
  packages: {
    '': { ...manifest },
    'node_modules/@esbuild/plan9': { ...other, dev: true },
    'node_modules/back': back,
    'node_modules/esbuild': { ...bundler, dev: true },
    'node_modules/linter': { version: '3.0.0', dev: true, dependencies: { shared: '6.0.0' } },
    'node_modules/runs': needed,
    'node_modules/runs/node_modules/shared': inner,
    'node_modules/shared': outer,
  },
};

test('a build needs the modules that run and the bundler, each with those that it finds itself', () => {
  const dependencies = { runs: '1.0.0', esbuild: '2.0.0' };
  assert.deepEqual(buildModules(manifest, lock), {
    manifest: { name: 'sample', version: '1.2.3', dependencies },
    lock: {
      lockfileVersion: 3,
      packages: {
        '': { name: 'sample', version: '1.2.3', dependencies },
        'node_modules/@esbuild/plan9': other,
        'node_modules/back': back,
        'node_modules/esbuild': bundler,
        'node_modules/runs': needed,
        'node_modules/runs/node_modules/shared': inner,
        'node_modules/shared': outer,
      },
    },
  });
});

test('a module that only tests need is left out, even where it would be found', () => {
  const { lock: reduced } = buildModules({ ...manifest, dependencies: {} }, lock);
  assert.deepEqual(Object.keys(reduced.packages).sort(), ['', 'node_modules/@esbuild/plan9', 'node_modules/esbuild']);
});
