import assert from 'node:assert/strict';
import test from 'node:test';
import { unitOfPath, unitPath } from '../../../src/host/object-path.ts';

const PATHS: readonly (readonly [unit: string, label: string])[] = [
  ['', '_'],
  ['dbus.socket', 'dbus_2esocket'],
  ['sandboxed-agent@a-1.service', 'sandboxed_2dagent_40a_2d1_2eservice'],
  ['-.slice', '_2d_2eslice'],
  ['9p.mount', '_39p_2emount'],
  ['under_score.service', 'under_5fscore_2eservice'],
  ['ü.service', '_c3_bc_2eservice'],
];

test('a unit has the object path systemd gives it', () => {
  for (const [unit, label] of PATHS) assert.equal(unitPath(unit), `/org/freedesktop/systemd1/unit/${label}`);
});

test('the unit of an object path is the one the path was made of', () => {
  for (const [unit] of PATHS) assert.equal(unitOfPath(unitPath(unit)), unit);
});

test('a path that is no unit’s has no unit', () => {
  const parent = '/org/freedesktop/systemd1/unit/';
  for (const path of [
    '/org/freedesktop/systemd1',
    parent,
    `${parent}a/b`,
    `${parent}a_g1`,
    `${parent}a_2`,
    `${parent}ä`,
  ]) {
    assert.equal(unitOfPath(path), null, path);
  }
});
