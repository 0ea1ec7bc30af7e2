import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SpawnError } from '../../../src/base/errors.ts';
import type { SecretFault } from '../../../src/host/secret-read.ts';
import type { AgentTable, Gateway } from '../../../src/policy/table.ts';
import { withCredentials } from '../../../src/sandbox/egress-credentials.ts';
import { readSecrets, type SecretKind } from '../../../src/sandbox/secrets.ts';
import { FakeHost } from '../../helpers/fake-host.ts';

const PATH = '/run/secrets/it';
const POINTERS: Readonly<Record<SecretKind, string>> = { key: '/api_key_file', proxy: '/proxy_credentials_file' };

const GATEWAY: Gateway = {
  provider: 'anthropic',
  mount: '/anthropic',
  base: { scheme: 'https', host: 'api.anthropic.com', port: 443, path: '' },
  field: { name: 'x-api-key', word: '' },
  username: null,
  key: null,
  placeholder: 'sk-placeholder',
  pointer: '/api_key_file',
};

const TABLE: AgentTable = {
  id: 'a',
  policy: { allow: [], deny: [] },
  upstream: { scheme: 'http', host: 'squid', port: 3128, credentials: null },
  caps: { maxBytes: null, requestsPerMinute: null },
  gateways: [GATEWAY, { ...GATEWAY, mount: '/ollama/v1', pointer: '/credentials/0' }],
  budget: { requests: null, tokens: null },
};

/** Lines of a refusal: pointer, message, suggestion. */
function refusal(error: SpawnError): readonly string[] {
  assert.equal(error.code, 'plan.credentials-refused');
  return error.problems.map(({ pointer, message, suggestion }) => `${pointer} ${message} ${suggestion}`);
}

/** The secret read from a file, or why it is refused. */
async function readFrom(content: string | Buffer, kind: SecretKind = 'key'): Promise<string> {
  const host = new FakeHost();
  host.files.seedFile(PATH, '', 0, 0o600);
  host.secrets.answers.set(PATH, { ok: true, bytes: Buffer.from(content) });
  return readSecrets(host.secrets, [{ place: PATH, pointer: POINTERS[kind], kind }]).then(
    ([value = '']) => value,
    (error: SpawnError) => refusal(error).join('\n'),
  );
}

test('a key is one line, with or without its end', async () => {
  for (const content of ['sk-!"~', 'sk-!"~\n', 'sk-!"~\r\n']) assert.equal(await readFrom(content), 'sk-!"~');
  assert.equal(await readFrom('k'.repeat(65_536)), 'k'.repeat(65_536));
});

test('a file that holds no key says what is wrong with it, and nothing of what is in it', async () => {
  const cases: readonly (readonly [string | Buffer, string])[] = [
    ['', 'it is empty'],
    ['\n', 'it is an empty line'],
    ['\r\n', 'it is an empty line'],
    ['\n\n', 'it has more than one line'],
    ['hush\nhush', 'it has more than one line'],
    ['hush\n\n', 'it has more than one line'],
    ['\nhush', 'it has more than one line'],
    ['hush\r', 'it holds a carriage return'],
    ['hu\rsh\n', 'it holds a carriage return'],
    ['hush\r\r\n', 'it holds a carriage return'],
    ['\ufeffhush\n', 'it begins with a byte order mark'],
    ['hu\0sh\n', 'it is binary'],
    [Buffer.from([0x68, 0xff, 0xfe, 0x68]), 'it is binary'],
    [' hush\n', 'it holds a space'],
    ['hush \n', 'it holds a space'],
    ['hu\tsh', 'it holds a space'],
    ['hu\u00a0sh', 'it holds a space'],
    ['hu\u001bsh', 'it holds characters that do not belong there'],
    ['h\u00fcsh', 'it holds characters that do not belong there'],
    ['hush\u007f', 'it holds characters that do not belong there'],
  ];
  for (const [content, cause] of cases) {
    const expected = `/api_key_file The key in "${PATH}" cannot be used: ${cause}. It must be one line of ASCII without spaces.`;
    assert.equal(await readFrom(content), expected, JSON.stringify(String(content)));
  }
});

test('credentials of a proxy are USER:PASSWORD in one line', async () => {
  for (const good of ['user:pass', 'user:', 'user:a:b c', 'us er:p\u00fc'])
    assert.equal(await readFrom(`${good}\n`, 'proxy'), good);
  for (const bad of ['hush', ':hush', 'us\ter:hush', 'user:hu\0sh', 'user:hush\nmore', '']) {
    const refused = await readFrom(bad, 'proxy');
    assert.match(
      refused,
      /^\/proxy_credentials_file The credentials of the proxy in .* cannot be used: it .* USER:PASSWORD\.$/,
    );
    assert.doesNotMatch(refused, /hush/);
  }
});

test('every way a secret cannot be read has its words', async () => {
  const place = PATH;
  const real = '/mnt/real';
  const cases: readonly (readonly [SecretFault, string])[] = [
    [{ kind: 'absent', path: place }, 'there is no such file. Put it there, or correct the name.'],
    [{ kind: 'absent', path: real }, `there is no file "${real}". Put it there, or correct the name.`],
    [{ kind: 'not-a-file', path: place, what: 'FIFO' }, 'it is a FIFO. Name a file.'],
    [{ kind: 'not-a-file', path: real, what: 'directory' }, `"${real}" is a directory. Name a file.`],
    [
      { kind: 'too-large', path: place, bytes: 1_073_741_824 },
      'it has 1073741824 bytes, and 65536 are the most. Name a file that holds the secret and nothing else.',
    ],
    [
      { kind: 'readable', path: place, mode: 0o644 },
      'others than root can read it (mode 0644). Take that from them (chmod 0600), or write "allow_readable_keys": true in /etc/agent-spawn/config.json.',
    ],
    [
      { kind: 'foreign', path: '/home/dev', uid: 1000 },
      '"/home/dev" belongs to uid 1000, who could exchange the secret. Give it to root and to nobody else, or move the secret to a directory of root, such as /etc/credstore.',
    ],
    [
      { kind: 'writable', path: '/srv', mode: 0o777 },
      'others than root can write to "/srv" (mode 0777), and so exchange the secret. Give it to root and to nobody else, or move the secret to a directory of root, such as /etc/credstore.',
    ],
    [{ kind: 'link-loop', path: place }, 'its symlinks lead nowhere. Name the file itself.'],
    [{ kind: 'unstable', path: place }, 'it was written while it was read. Try again.'],
    [
      { kind: 'unreadable', path: place, errno: 'EIO' },
      'it cannot be read (EIO). Move it to a directory of this machine.',
    ],
    [
      { kind: 'no-credential', name: 'it' },
      'agent-spawnd was given no such credential, and no credential store has one. Put it into /etc/credstore, or encrypt it into /etc/credstore.encrypted (systemd-creds(1)).',
    ],
    [
      { kind: 'sealed', path: real, cause: 'no-program' },
      `"${real}" is encrypted, and there is no systemd-creds. Install it.`,
    ],
    ...(['refused', 'no-answer'] as const).map((cause) => {
      const does =
        cause === 'refused'
          ? `systemd-creds does not open "${real}"`
          : `systemd-creds did not open "${real}" in time, or it holds too much`;
      const what =
        'See what `systemd-creds decrypt` says of it; one that needs a TPM is given to agent-spawnd with LoadCredentialEncrypted=.';
      return [{ kind: 'sealed', path: real, cause }, `${does}. ${what}`] as const;
    }),
  ];
  for (const [fault, words] of cases) {
    const host = new FakeHost();
    host.secrets.answers.set(place, { ok: false, fault });
    const source = { place, pointer: '/credentials/3/api_key_file', kind: 'key' } as const;
    const error = await readSecrets(host.secrets, [source]).catch((refused: SpawnError) => refused);
    assert.ok(error instanceof Error);
    assert.deepEqual(refusal(error), [`/credentials/3/api_key_file The key in "${place}" cannot be used: ${words}`]);
  }
});

test('keys go to the gateways that they are for, and credentials to the proxy', async () => {
  const host = new FakeHost();
  host.files.seedFile('/run/secrets/one', 'first\n', 0, 0o600);
  host.files.seedFile('/etc/credstore/proxy', 'user:pass\n', 0, 0o400);
  const gateways = [{ mount: '/anthropic', source: '/run/secrets/one', pointer: '/api_key_file' }];
  const table = await withCredentials(host.secrets, TABLE, { upstream: 'credential:proxy', gateways });
  assert.deepEqual(table, {
    ...TABLE,
    upstream: { scheme: 'http', host: 'squid', port: 3128, credentials: 'user:pass' },
    gateways: [{ ...GATEWAY, key: 'first' }, TABLE.gateways[1]],
  });
});

test('everything that cannot be used is said at once', async () => {
  const host = new FakeHost();
  const gateways = [
    { mount: '/anthropic', source: '/run/secrets/none', pointer: '/api_key_file' },
    { mount: '/ollama/v1', source: 'credential:none', pointer: '/credentials/0/api_key_file' },
  ];
  const error = await withCredentials(host.secrets, TABLE, { upstream: '/run/none', gateways }).catch(
    (e: SpawnError) => e,
  );
  assert.ok(error instanceof Error);
  assert.deepEqual(
    error.problems.map(({ pointer }) => pointer),
    ['/api_key_file', '/credentials/0/api_key_file', '/proxy_credentials_file'],
  );
});

test('a card without secrets has none, and its table is as planned', async () => {
  assert.deepEqual(await withCredentials(new FakeHost().secrets, TABLE, { upstream: null, gateways: [] }), TABLE);
});
