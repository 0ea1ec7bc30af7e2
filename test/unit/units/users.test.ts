import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { userName } from '../../../src/base/ids.ts';
import { CHECKOUT } from '../../helpers/checkout.ts';

const UNITS = join(CHECKOUT, 'units');

/** Users that units of ours run as, by unit. */
const users = readdirSync(UNITS)
  .filter((name) => name.endsWith('.service'))
  .flatMap((name) => {
    const user = /^User=(.*)$/m.exec(readFileSync(join(UNITS, name), 'utf8'))?.[1];
    return user === undefined ? [] : [[name, user] as const];
  });

test('no agent can have the user of a service of ours, whatever its id', () => {
  assert.ok(users.length >= 2, 'there are services with users of their own');
  const start = userName('x').slice(0, -1);
  for (const [unit, user] of users) assert.ok(!user.startsWith(start), `${unit} runs as ${user}`);
});
