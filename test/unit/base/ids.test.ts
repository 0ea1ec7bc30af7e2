import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentIdOfUnit, isAgentId, unitName, userName } from '../../../src/base/ids.ts';

/** The name that systemd takes in a user record and in `User=` without complaint (user-util.c, strict form). */
const STRICT_USER_NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,30}$/;

test('an agent id has lower-case letters, digits and inner hyphens, 1 to 48 of them', () => {
  const good = ['a', '0', 'a-b', 'a--b', 'agent-alpha-001', 'a'.repeat(48)];
  const bad = ['', '-', '-a', 'a-', 'A', 'a_b', 'a.b', 'a b', 'ä', 'a\n', 'a/b', '..', 'a\\x2db', 'a'.repeat(49)];
  assert.deepEqual([...good, ...bad].filter(isAgentId), good);
});

test('a unit name leads back to its agent, and no other unit does', () => {
  for (const id of ['a', 'a-b', 'agent-alpha-001', 'a'.repeat(48)]) {
    assert.equal(agentIdOfUnit(unitName(id)), id);
  }
  assert.equal(unitName('task-123'), 'sandboxed-agent@task-123.service');
  const others = [
    'sandboxed-agent@.service',
    'sandboxed-agent@A.service',
    'sandboxed-agent@a\\x2db.service',
    'sandboxed-agent@-a.service',
    'sandboxed-agent@a.socket',
    'sandboxed-agent@a.service.d',
    'agent-egress@a.service',
    'xsandboxed-agent@a.service',
    'sandboxed-agent@.servicesandboxed-agent@a.service',
    '',
  ];
  assert.deepEqual(
    others.map(agentIdOfUnit),
    others.map(() => undefined),
  );
});

test('a short id is the whole of its user name', () => {
  assert.equal(userName('dev'), 'agent-dev');
  assert.equal(userName('a'.repeat(25)), `agent-${'a'.repeat(25)}`);
});

test('a long id has a user name of 31 bytes that stays the same from release to release', () => {
  assert.equal(userName('a'.repeat(26)), 'agent-aaaaaaaa_spn92hntm3dczrkw');
  assert.equal(userName('nightly-integration-tests-of-the-shop'), 'agent-nightly-_g2vp6fam5w25d72n');
});

test('user names of different ids differ, whatever their length, and are valid everywhere', () => {
  const ids = Array.from({ length: 48 }, (_, length) => [`${'a'.repeat(length)}b`, `${'a'.repeat(length)}c`])
    .flat()
    .concat(Array.from({ length: 2000 }, (_, number) => `a-very-long-name-of-an-agent-${number}`));
  const names = ids.map(userName);
  assert.equal(new Set(names).size, ids.length);
  assert.deepEqual(
    names.filter((name) => !STRICT_USER_NAME.test(name)),
    [],
  );
});

test('a shortened user name is the plain name of no agent', () => {
  const short = userName('a'.repeat(48)).slice('agent-'.length);
  assert.equal(isAgentId(short), false);
});
