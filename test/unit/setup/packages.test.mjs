import assert from 'node:assert/strict';
import test from 'node:test';
import { RUN_NEEDS, TEST_NEEDS } from '../../../src/setup/needs.mjs';
import { describeMissing, detectDistribution, missingNeeds } from '../../../src/setup/packages.mjs';

const bubblewrap = {
  why: 'builds the sandbox',
  anyOf: ['bwrap'],
  package: { debian: 'bubblewrap', fedora: 'bubblewrap', arch: 'bubblewrap' },
};
const iproute = {
  why: 'sets up networks',
  anyOf: ['ip', '/sbin/ip'],
  package: { debian: 'iproute2', fedora: 'iproute', arch: 'iproute2' },
};

test('a need is met by any one of its places', () => {
  assert.deepEqual(
    missingNeeds([bubblewrap, iproute], (path) => path === '/sbin/ip'),
    [bubblewrap],
  );
});

test('the distribution is told by its package manager', () => {
  assert.equal(
    detectDistribution((path) => path === 'dnf'),
    'fedora',
  );
  assert.equal(
    detectDistribution(() => false),
    undefined,
  );
});

test('what is missing is named with the command that installs it', () => {
  assert.equal(
    describeMissing([bubblewrap, iproute], 'fedora'),
    [
      'this machine lacks:',
      '  bubblewrap (builds the sandbox)',
      '  iproute (sets up networks)',
      'Install it as root, then try again:',
      '  dnf install bubblewrap iproute',
    ].join('\n'),
  );
});

test('an unknown distribution is told the names of all known ones', () => {
  assert.deepEqual(describeMissing([iproute], undefined).split('\n').slice(-3), [
    '  apt-get update && apt-get install iproute2',
    '  dnf install iproute',
    '  pacman -S iproute2',
  ]);
});

test('every need says why and has a package on each distribution', () => {
  const incomplete = [...RUN_NEEDS, ...TEST_NEEDS].filter(
    (need) => need.why === '' || need.anyOf.length === 0 || Object.values(need.package).some((name) => name === ''),
  );
  assert.deepEqual(incomplete, []);
});

test('this machine, which runs the tests, meets every need', () => {
  assert.deepEqual(missingNeeds([...RUN_NEEDS, ...TEST_NEEDS]), []);
});

test('a file and a command that do not exist are missing', () => {
  const absent = { ...bubblewrap, anyOf: ['no-such-command', '/no/such/file', '/no-such-*/file'] };
  assert.deepEqual(missingNeeds([absent]), [absent]);
});
