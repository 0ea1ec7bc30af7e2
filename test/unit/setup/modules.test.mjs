import assert from 'node:assert/strict';
import test from 'node:test';
import { checkNode, missingModules } from '../../../src/setup/modules.mjs';

const wanted = {
  packages: {
    '': { version: '0.1.0' },
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/other-platform': { version: '1.0.0', integrity: 'sha512-o', optional: true },
  },
};

test('a module that is installed as locked is not missing, nor is an optional one of another platform', () => {
  assert.deepEqual(missingModules(wanted, { packages: { 'node_modules/a': { integrity: 'sha512-a' } } }), []);
});

test('an absent module and one with other contents are missing', () => {
  assert.deepEqual(missingModules(wanted, { packages: {} }), ['node_modules/a']);
  assert.deepEqual(missingModules(wanted, { packages: { 'node_modules/a': { integrity: 'sha512-b' } } }), [
    'node_modules/a',
  ]);
});

test('an optional module that is there must be the locked one', () => {
  const installed = { packages: { ...wanted.packages, 'node_modules/other-platform': { integrity: 'sha512-x' } } };
  assert.deepEqual(missingModules(wanted, installed), ['node_modules/other-platform']);
});

test('the oldest supported Node is accepted, an older one is told which is needed', () => {
  checkNode('20.11.0');
  checkNode('24.0.0');
  assert.throws(() => checkNode('20.10.9'), /Node 20\.11 or newer is needed; this is 20\.10\.9/);
  assert.throws(() => checkNode('18.20.4'), /this is 18\.20\.4/);
});
