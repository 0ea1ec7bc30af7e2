import assert from 'node:assert/strict';
import test from 'node:test';
import { isRelayed, isTerminalForeground } from '../../src/private-host/session.ts';

test('in the foreground of a terminal only signals that no key makes are relayed', () => {
  assert.equal(isRelayed('SIGINT', true), false);
  assert.equal(isRelayed('SIGQUIT', true), false);
  assert.equal(isRelayed('SIGTERM', true), true);
  assert.equal(isRelayed('SIGHUP', true), true);
});

test('without a terminal every signal is relayed', () => {
  assert.equal(isRelayed('SIGINT', false), true);
  assert.equal(isRelayed('SIGTERM', false), true);
});

test('the foreground is recognised whatever the process is called', () => {
  const rest = '4194304 0 0';
  assert.equal(isTerminalForeground(`70 (node) S 1 70 70 34816 70 ${rest}`), true);
  assert.equal(isTerminalForeground(`70 (a) S 1 2 3 0 5 (b) S 1 70 70 34816 70 ${rest}`), true);
  assert.equal(isTerminalForeground(`70 (node) S 1 70 60 34816 60 ${rest}`), false);
  assert.equal(isTerminalForeground(`70 (node) S 1 70 70 0 -1 ${rest}`), false);
});
