import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { listImports } from './imports.ts';
import { CHECKOUT, listSources, readProjectFile } from './source-file.ts';

interface Manifest {
  readonly engines: { readonly node: string };
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

interface LockedModule {
  readonly version?: string;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly engines?: { readonly node?: string };
}

const manifest = JSON.parse(readProjectFile('package.json')) as Manifest;
const lock = JSON.parse(readProjectFile('package-lock.json')) as {
  readonly packages: Readonly<Record<string, LockedModule>>;
};

test('versions are exact', () => {
  const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  assert.deepEqual(
    versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version)),
    [],
  );
});

test('the lock file names no registry', () => {
  assert.deepEqual(
    Object.entries(lock.packages).filter(([, module]) => module.resolved !== undefined),
    [],
  );
});

test('the lock file holds the versions of package.json', () => {
  const wanted = { ...manifest.dependencies, ...manifest.devDependencies };
  const locked = Object.keys(wanted).map((name) => [name, lock.packages[`node_modules/${name}`]?.version]);
  assert.deepEqual(Object.fromEntries(locked), wanted);
});

test('no script of package.json names a file that does not exist', () => {
  const named = Object.entries(manifest.scripts).flatMap(([name, script]) =>
    [...script.matchAll(/\bnode ([\w./-]+)/g)].map(([, path = '']) => ({ name, path })),
  );
  assert.notEqual(named.length, 0);
  assert.deepEqual(
    named.filter(({ path }) => !existsSync(join(CHECKOUT, path))),
    [],
  );
});

test('every runtime package is used by the program, and none is used that is not one', () => {
  const used = listSources('src')
    .filter((file) => !file.path.startsWith('src/setup/'))
    .flatMap(listImports)
    .filter((entry) => entry.kind === 'package')
    .map((entry) => entry.target);
  // The generated validator, which is not looked at here, calls functions of it.
  assert.deepEqual([...new Set([...used, 'ajv'])].sort(), Object.keys(manifest.dependencies).sort());
});
