import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SpawnError } from '../../../src/base/errors.ts';
import type { AgentTable } from '../../../src/policy/table.ts';
import { withCredentials } from '../../../src/sandbox/egress-credentials.ts';
import { FakeHost } from '../../helpers/fake-host.ts';

const PATH = '/run/secrets/proxy';

const TABLE: AgentTable = {
  id: 'a',
  policy: { allow: [], deny: [] },
  upstream: { scheme: 'http', host: 'squid', port: 3128, credentials: null },
  caps: { maxBytes: null, requestsPerMinute: null },
  gateways: [],
  budget: { requests: null, tokens: null },
};

/** The credentials read from a file, or the message of the refusal. */
async function readFrom(content: string | null, mode = 0o600, uid = 0): Promise<string | null> {
  const host = new FakeHost();
  if (content !== null) host.files.seedFile(PATH, content, uid, mode);
  return withCredentials(host, TABLE, { upstream: PATH, gateways: [] }).then(
    ({ upstream }) => upstream?.credentials ?? null,
    (error: SpawnError) => {
      assert.equal(error.code, 'plan.credentials-refused');
      assert.equal(error.problems[0]?.pointer, '/proxy_credentials_file');
      return error.message;
    },
  );
}

test('credentials are one line, with or without its end', async () => {
  for (const content of ['user:pass', 'user:pass\n', 'user:pass\r\n']) {
    assert.equal(await readFrom(content), 'user:pass', JSON.stringify(content));
  }
  assert.equal(await readFrom('user:'), 'user:');
  assert.equal(await readFrom('user:a:b c'), 'user:a:b c');
});

test('a file that is no such line is refused, and nothing of it is told', async () => {
  const wrong = `The credentials of the proxy in "${PATH}" cannot be used: it is not one line USER:PASSWORD.`;
  for (const content of ['', '\n', 'hush', ':hush', 'user:hush\nmore', 'user:hush\n\n', 'us\ter:hush', 'user:hu\0sh']) {
    const message = await readFrom(content);
    assert.equal(message, wrong, JSON.stringify(content));
    assert.doesNotMatch(message ?? '', /hush/);
  }
});

test('a file that is absent, too large, or not for root alone is refused', async () => {
  assert.match((await readFrom(null)) ?? '', /there is no such file\.$/);
  assert.match((await readFrom(`user:${'x'.repeat(5000)}`)) ?? '', /it is larger than 4096 bytes\.$/);
  assert.match((await readFrom('user:hush', 0o640)) ?? '', /others than its owner may use it \(chmod 0600\)\.$/);
  assert.match((await readFrom('user:hush', 0o600, 1000)) ?? '', /it does not belong to root\.$/);
});

test('a card without credentials has none, and its table is as planned', async () => {
  assert.deepEqual(await withCredentials(new FakeHost(), TABLE, { upstream: null, gateways: [] }), TABLE);
});
