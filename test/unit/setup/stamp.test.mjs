import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import test from 'node:test';
import { CHECKOUT, inCheckout } from '../../../src/setup/checkout.mjs';
import { fingerprint, listFiles, readStamp } from '../../../src/setup/stamp.mjs';

/** A directory in the checkout, because stamps speak of paths there. */
function scratch(t) {
  mkdirSync(inCheckout('build'), { recursive: true });
  const directory = mkdtempSync(inCheckout('build/stamp-'));
  t.after(() => rmSync(directory, { recursive: true }));
  mkdirSync(join(directory, 'below'));
  writeFileSync(join(directory, 'a'), 'a');
  writeFileSync(join(directory, 'below/b'), 'b');
  return relative(CHECKOUT, directory);
}

test('a directory is its files, a file itself, something absent nothing', (t) => {
  const path = scratch(t);
  assert.deepEqual(listFiles(path), [`${path}/a`, `${path}/below/b`]);
  assert.deepEqual(listFiles(`${path}/a`), [`${path}/a`]);
  assert.deepEqual(listFiles(`${path}/absent`), []);
});

test('the fingerprint changes with contents, times, new files and removed ones, and with nothing else', (t) => {
  const path = scratch(t);
  const prints = [fingerprint([path])];
  assert.equal(fingerprint([path]), prints[0]);
  writeFileSync(inCheckout(path, 'a'), 'longer');
  prints.push(fingerprint([path]));
  utimesSync(inCheckout(path, 'a'), 1, 1);
  prints.push(fingerprint([path]));
  writeFileSync(inCheckout(path, 'c'), '');
  prints.push(fingerprint([path]));
  rmSync(inCheckout(path, 'below'), { recursive: true });
  prints.push(fingerprint([path]));
  assert.equal(new Set(prints).size, prints.length);
});

test('a stamp that was never written is undefined', (t) => {
  const path = scratch(t);
  assert.equal(readStamp(`${path}/none`), undefined);
  assert.equal(readStamp(`${path}/a`), 'a');
});
