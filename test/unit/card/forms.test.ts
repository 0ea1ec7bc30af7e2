import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cardWith, parse, problemLines } from './verdict.ts';

/** Values of one key that are fine. */
function expectValid(key: string, values: readonly unknown[]): void {
  assert.deepEqual(
    values.filter((value) => !parse(cardWith({ [key]: value })).ok),
    [],
  );
}

/** Values of one key with what is said about each after the code and the pointer. */
function expectProblems(code: string, key: string, cases: readonly (readonly [unknown, string])[]): void {
  const pointerEnd = (value: unknown): string => (Array.isArray(value) ? '/0' : '');
  assert.deepEqual(
    cases.map(([value]) => problemLines(cardWith({ [key]: value }))),
    cases.map(([value, line]) => [`${code} /${key}${pointerEnd(value)}: ${line}`]),
  );
}

test('an agent id has lower-case letters, digits and inner hyphens', () => {
  const rule = 'but an id has only lower-case letters, digits and inner hyphens.';
  expectValid('agent_id', ['a', '1', 'a-b', 'agent-alpha-001', 'a'.repeat(48)]);
  expectProblems('card.bad-format', 'agent_id', [
    ['', '"agent_id" is empty. [Give the agent a name, such as "dev-agent".]'],
    ['Dev_Agent 1', `"agent_id" is "Dev_Agent 1", ${rule} [Write "dev-agent-1".]`],
    ['-a-', `"agent_id" is "-a-", ${rule} [Write "a".]`],
    ['../../etc', `"agent_id" is "../../etc", ${rule} [Write "etc".]`],
    ['---', `"agent_id" is "---", ${rule}`],
    ['a\n', `"agent_id" is "a\\n", ${rule} [Write "a".]`],
    ['ä', `"agent_id" is "ä", ${rule}`],
  ]);
});

test('a workspace is an absolute, normal path', () => {
  const rule = 'a path must be absolute and normal.';
  expectValid('workspace', ['/workspace', '/mnt/agents/a b', '/srv/ü/.hidden/..x', '/root/project', '/opt/agents']);
  expectProblems('card.bad-path', 'workspace', [
    ['', `"workspace" is "", which is empty; ${rule}`],
    [
      'agents/a',
      `"workspace" is "agents/a", which does not start with "/"; ${rule} [Write the whole path, from "/" on.]`,
    ],
    [
      '~/a',
      `"workspace" is "~/a", which does not start with "/"; ${rule} [Neither "~" nor "$NAME" is replaced: write the whole path.]`,
    ],
    [
      '$HOME/a',
      `"workspace" is "$HOME/a", which does not start with "/"; ${rule} [Neither "~" nor "$NAME" is replaced: write the whole path.]`,
    ],
    ['--bind', `"workspace" is "--bind", which does not start with "/"; ${rule} [Write the whole path, from "/" on.]`],
    ['/mnt/../etc/x', `"workspace" is "/mnt/../etc/x", which has a part ".."; ${rule} [Write "/etc/x".]`],
    ['/mnt/./a', `"workspace" is "/mnt/./a", which has a part "."; ${rule} [Write "/mnt/a".]`],
    ['/mnt//a', `"workspace" is "/mnt//a", which holds "//"; ${rule} [Write "/mnt/a".]`],
    ['/mnt/a/', `"workspace" is "/mnt/a/", which ends with "/"; ${rule} [Write "/mnt/a".]`],
    ['/mnt/a\0b', `"workspace" is "/mnt/a\\u0000b", which holds a control character; ${rule}`],
    ['/mnt/a\nb', `"workspace" is "/mnt/a\\nb", which holds a control character; ${rule}`],
    ['/', '"workspace" is the root directory, which cannot be meant.'],
    [`/mnt/${'ü'.repeat(2100)}`, '"workspace" has more than 4095 bytes, which no path can have.'],
  ]);
});

test('a workspace is no directory of the system', () => {
  const roots = ['bin', 'boot', 'dev', 'etc', 'lib', 'lib64', 'nix', 'proc', 'sbin', 'sys', 'usr'];
  const trees = [...roots, 'run/systemd', 'run/dbus', 'run/agent-spawn', 'var/lib/agent-spawn', 'var/lib/systemd'];
  const single = ['home', 'media', 'mnt', 'opt', 'root', 'run', 'srv', 'tmp', 'var', 'var/lib', 'var/log', 'var/tmp'];
  const refused = [...trees, ...trees.map((tree) => `${tree}/below`), ...single].map((path) => `/${path}`);
  const end =
    'which belongs to the system and would become the agent\'s to change. [Use a directory of its own, such as "/mnt/agents/dev".]';
  expectProblems(
    'card.bad-path',
    'workspace',
    refused.map((path) => [path, `"workspace" is "${path}", ${end}`]),
  );
  expectValid(
    'workspace',
    single.map((path) => `/${path}/agent`),
  );
  expectValid('workspace', ['/etcetera', '/usr2', '/mnt/etc', '/binary', '/run/systemd2', '/workspace']);
});

test('other paths are absolute and normal too, but may lie anywhere', () => {
  expectValid('api_key_file', ['/etc/agents/key', '/run/secrets/key']);
  assert.equal(parse(cardWith({ filesystem: { read_only: ['/etc/ssl', '/usr/share', '/run/docker.sock'] } })).ok, true);
  expectProblems('card.bad-path', 'api_key_file', [
    ['/', '"api_key_file" is the root directory, which cannot be meant.'],
    [
      'key',
      '"api_key_file" is "key", which does not start with "/"; a path must be absolute and normal. [Write the whole path, from "/" on.]',
    ],
  ]);
  assert.deepEqual(problemLines(cardWith({ filesystem: { read_only: ['/srv/a', 'b', '/srv/../c', '/'] } })), [
    'card.bad-path /filesystem/read_only/1: "filesystem.read_only[1]" is "b", which does not start with "/"; a path must be absolute and normal. [Write the whole path, from "/" on.]',
    'card.bad-path /filesystem/read_only/2: "filesystem.read_only[2]" is "/srv/../c", which has a part ".."; a path must be absolute and normal. [Write "/c".]',
    'card.bad-path /filesystem/read_only/3: "filesystem.read_only[3]" is the root directory, which cannot be meant.',
  ]);
});

test('a single line holds no control character, half a character or turned reading direction', () => {
  expectValid('description', ['', 'ä ö – \u{1f4a1}', '100 % "quoted" \\ $HOME']);
  expectProblems('card.bad-format', 'description', [
    ['a\0', '"description" holds the character U+0000 (NUL), which is not allowed there.'],
    ['a\nb', '"description" holds the character U+000A (a line break), which is not allowed there.'],
    ['a\u001b[31m', '"description" holds the character U+001B, which is not allowed there.'],
    ['a\u0085', '"description" holds the character U+0085, which is not allowed there.'],
    ['a\u2028', '"description" holds the character U+2028, which is not allowed there.'],
    ['a\u202eb', '"description" holds the character U+202E, which is not allowed there.'],
    ['a\ud800b', '"description" holds the character U+D800, which is not allowed there.'],
  ]);
});

test('a word of the command may span lines, and the program may not', () => {
  expectValid('command', [['bash', '-c', 'set -e\n\tmake\n'], ['./run.sh', ''], ['a'.repeat(4095)]]);
  expectProblems('card.bad-format', 'command', [
    [[''], '"command[0]" is empty, so there is no program to run.'],
    [['a\nb'], '"command[0]" holds the character U+000A (a line break), which is not allowed there.'],
  ]);
  assert.deepEqual(problemLines(cardWith({ command: ['a', 'b\0', 'c\r'] })), [
    'card.bad-format /command/1: "command[1]" holds the character U+0000 (NUL), which is not allowed there.',
    'card.bad-format /command/2: "command[2]" holds the character U+000D, which is not allowed there.',
  ]);
});

test("variables that reach only the agent are the card's business, those that tell who it is are not", () => {
  const names = [
    'LD_PRELOAD',
    'LD_AUDIT',
    'BASH_ENV',
    'ENV',
    'NODE_OPTIONS',
    'PYTHONSTARTUP',
    'PATH',
    'IFS',
    'HOME',
    '_',
  ];
  expectValid('environment', [Object.fromEntries(names.map((name) => [name, 'a=b\n\tc']))]);
  const proxies = ['HTTP_PROXY', 'http_proxy', 'Https_Proxy', 'ALL_PROXY', 'ftp_proxy', 'NO_PROXY'];
  assert.deepEqual(
    problemLines(cardWith({ environment: Object.fromEntries(proxies.map((name) => [name, ''])) })),
    proxies.map(
      (name) =>
        `card.bad-environment /environment/${name}: The name "${name}" in "environment" is set by the sandbox alone, because it names the only way out. [Remove it; the key "proxy" names a proxy of your network.]`,
    ),
  );
  assert.deepEqual(problemLines(cardWith({ environment: { AGENT_ID: 'root', 'A=B': '', '1A': '', '': '', Ä: '' } })), [
    'card.bad-environment /environment/AGENT_ID: The name "AGENT_ID" in "environment" is set by the sandbox alone, because it tells who the agent is. [Remove it.]',
    ...['A=B', '1A', '', 'Ä'].map(
      (name) =>
        `card.bad-environment /environment/${name}: The name "${name}" in "environment" is not a name of a variable. [Use letters, digits and "_", and no digit at the start.]`,
    ),
  ]);
  expectValid('environment', [{ AGENT_ID_2: '', agent_id: '', HTTP_PROXY_PORT: '', MY_PROXY: '' }]);
});

test('labels have plain names and short values', () => {
  expectValid('labels', [{ team: 'shop', 'example.org/ticket-1': '', A: 'ä' }]);
  assert.deepEqual(problemLines(cardWith({ labels: { '-a': '', 'a b': '', '': '', b: 'x\ny' } })), [
    ...['-a', 'a b', ''].map(
      (name) =>
        `card.bad-format /labels/${name}: The name "${name}" in "labels" is not a name of a label. [Use letters, digits and inner ".", "_", "-" and "/".]`,
    ),
    'card.bad-format /labels/b: "labels.b" holds the character U+000A (a line break), which is not allowed there.',
  ]);
});

test('an allowed host is a name or an address', () => {
  const rule = 'but an entry is a host name or an address, without scheme, path or spaces.';
  expectValid('allowed_hosts', [
    [],
    ['api.anthropic.com', '*.example.org', 'localhost:8080', '192.0.2.1', '[2001:db8::1]:443', '2001:db8::1'],
    ['10.0.0.0/8', '10.0.0.0/8:22', '2001:db8::/32', '[2001:db8::/32]:443', { host: 'api.anthropic.com' }],
  ]);
  expectProblems('card.bad-format', 'allowed_hosts', [
    [
      ['https://api.openai.com/v1'],
      `"allowed_hosts[0]" is "https://api.openai.com/v1", ${rule} [Write "api.openai.com".]`,
    ],
    [['https://user@example.org'], `"allowed_hosts[0]" is "https://user@example.org", ${rule} [Write "example.org".]`],
    [['example.org/path'], `"allowed_hosts[0]" is "example.org/path", ${rule} [Write "example.org".]`],
    [['a b'], `"allowed_hosts[0]" is "a b", ${rule}`],
    [[''], `"allowed_hosts[0]" is "", ${rule}`],
  ]);
});

test('what a rule says about requests is plain', () => {
  const rule = (keys: object): unknown => cardWith({ allowed_hosts: [{ host: 'a.example', ...keys }] });
  for (const keys of [{ methods: ['GET', 'M-SEARCH'] }, { paths: ['/', '/api', '/%2e/x'] }, { ports: [1, 65_535] }]) {
    assert.equal(parse(rule(keys)).ok, true, JSON.stringify(keys));
  }
  const path = 'but a path starts with "/" and has no query, no space and no parts "", "." and "..".';
  const hint = 'Write what the request has between the host and the "?".';
  const cases: readonly (readonly [object, string, string])[] = [
    [{ methods: ['get'] }, 'methods', '"get", but a method is a word in capitals. [Write "GET".]'],
    [{ methods: ['G T'] }, 'methods', '"G T", but a method is a word in capitals.'],
    [{ methods: ['TRACE'] }, 'methods', '"TRACE", which is never passed on.'],
    [{ methods: ['connect'] }, 'methods', '"connect", which is never passed on.'],
    [{ paths: ['api'] }, 'paths', `"api", ${path} [${hint}]`],
    [{ paths: ['/a?b'] }, 'paths', `"/a?b", ${path} [${hint}]`],
    [{ paths: ['/a/../b'] }, 'paths', `"/a/../b", ${path} [${hint}]`],
    [{ paths: ['/a//b'] }, 'paths', `"/a//b", ${path} [${hint}]`],
  ];
  assert.deepEqual(
    cases.map(([keys]) => problemLines(rule(keys))),
    cases.map(([, key, end]) => [`card.bad-format /allowed_hosts/0/${key}/0: "allowed_hosts[0].${key}[0]" is ${end}`]),
  );
});

test('a direct connection goes to an address', () => {
  const allow = (address: string): unknown => cardWith({ network: { mode: 'veth', allow: [{ address, port: 1 }] } });
  for (const address of ['192.0.2.1', '::1', '2001:db8::1', '::ffff:192.0.2.1']) {
    assert.equal(parse(allow(address)).ok, true, address);
  }
  assert.deepEqual(
    ['example.org', '[::1]', '192.0.2.1:80', '192.0.2.0/24', '256.0.0.1', ''].map((text) => problemLines(allow(text))),
    ['example.org', '[::1]', '192.0.2.1:80', '192.0.2.0/24', '256.0.0.1', ''].map((text) => [
      `card.bad-format /network/allow/0/address: "network.allow[0].address" is "${text}", but must be an IPv4 or IPv6 address without port and brackets.`,
    ]),
  );
});

test('network keys that contradict the mode, or each other, are told', () => {
  const stands = (pointer: string, name: string, mode: string, end: string): string =>
    `card.conflict ${pointer}: "${name}" stands beside the network mode "${mode}", where ${end}`;
  const use = '[Use the mode "isolated", or remove the key.]';
  const allow = [{ address: '192.0.2.1', port: 5432 }];
  assert.deepEqual(problemLines(cardWith({ network: { allow } })), [
    stands('/network/allow', 'network.allow', 'isolated', 'the agent has no network device for direct connections. ') +
      '[Use the mode "veth", or "allowed_hosts" for what goes through the proxy.]',
  ]);
  assert.deepEqual(problemLines(cardWith({ network: { mode: 'host', publish: [{ port: 8080 }] }, a2a_port: 9000 })), [
    stands('/network/publish', 'network.publish', 'host', `the agent listens on the host by itself. ${use}`),
    stands('/a2a_port', 'a2a_port', 'host', `the agent listens on the host by itself. ${use}`),
  ]);
  assert.deepEqual(
    problemLines(cardWith({ network: { mode: 'host', max_bytes: 1 }, allowed_hosts: [], denied_hosts: ['a.example'] })),
    [
      stands('/allowed_hosts', 'allowed_hosts', 'host', `nothing would enforce it. ${use}`),
      stands('/denied_hosts', 'denied_hosts', 'host', `nothing would enforce it. ${use}`),
      stands('/network/max_bytes', 'network.max_bytes', 'host', `nothing would enforce it. ${use}`),
    ],
  );
  assert.deepEqual(problemLines(cardWith({ proxy_credentials_file: '/run/key' })), [
    'card.conflict /proxy_credentials_file: "proxy_credentials_file" stands in a card without "proxy", so the credentials are for nobody. [Name the proxy, or remove the key.]',
  ]);
  const fine = [
    { network: { mode: 'none', allow: [], publish: [] }, allowed_hosts: ['a.example'], proxy: 'http://squid:3128' },
    { network: { mode: 'veth', allow, publish: [{ port: 8080 }] }, a2a_port: 9000 },
    { network: { mode: 'none', publish: [{ port: 8080 }] }, a2a_port: 9000 },
    { network: { mode: 'host' }, proxy: 'http://squid:3128', proxy_credentials_file: '/run/key' },
  ];
  assert.deepEqual(
    fine.map((keys) => problemLines(cardWith(keys))),
    fine.map(() => []),
  );
});

test('an upstream proxy is an HTTP proxy without credentials', () => {
  expectValid('proxy', [
    'http://10.100.1.1:3128',
    'http://squid-proxy.kube-system:3128',
    'https://proxy/',
    'http://[::1]:80',
  ]);
  expectProblems('card.bad-format', 'proxy', [
    ['squid:3128', '"proxy" is "squid:3128", but a proxy is written http://HOST:PORT. [Write "http://squid:3128".]'],
    [
      'http://u:p@squid:3128',
      '"proxy" holds a user name or a password, and cards are shown and logged. [Put USER:PASSWORD in a file and name it in "proxy_credentials_file".]',
    ],
    ['socks5://squid:1080', '"proxy" is a proxy of the kind "socks5", but only http and https are spoken.'],
    ['http://squid:70000', '"proxy" is "http://squid:70000", but a proxy is written http://HOST:PORT.'],
    ['http://squid:3128/x', '"proxy" is "http://squid:3128/x", but a proxy is written http://HOST:PORT.'],
  ]);
});

test('a published port listens on a numeric address', () => {
  const publish = (listen: string): Readonly<Record<string, unknown>> =>
    cardWith({ network: { publish: [{ port: 8080, listen }] } });
  for (const listen of ['127.0.0.1:1', '0.0.0.0:65535', '[::1]:8080', '[::]:80', '/run/agent.sock']) {
    assert.equal(parse(publish(listen)).ok, true, listen);
  }
  const rule =
    'but an address is written ADDRESS:PORT with numbers, or [ADDRESS]:PORT for IPv6, and a socket as an absolute path.';
  const cases: readonly (readonly [string, string])[] = [
    ['8080', ' [Write "127.0.0.1:8080".]'],
    [':8080', ' [Write "127.0.0.1:8080".]'],
    ['localhost:8080', ' [Write "127.0.0.1:8080".]'],
    ['127.0.0.1', ''],
    ['127.0.0.1:0', ''],
    ['127.0.0.1:65536', ''],
    ['256.0.0.1:80', ''],
    ['example.org:80', ''],
    ['/run/../agent.sock', ''],
    ['run/agent.sock', ''],
  ];
  assert.deepEqual(
    cases.map(([listen]) => problemLines(publish(listen))),
    cases.map(([listen, suggestion]) => [
      `card.bad-format /network/publish/0/listen: "network.publish[0].listen" is "${listen}", ${rule}${suggestion}`,
    ]),
  );
});

test('keys that contradict each other are told together', () => {
  assert.deepEqual(problemLines(cardWith({ resource_limits: { memory_mb: 1024, memory_high_mb: 1025 } })), [
    'card.conflict /resource_limits/memory_high_mb: "resource_limits.memory_high_mb" is 1025, which is above "memory_mb", 1024: the agent would be ended before it is slowed down. [Write 1024 or less, or raise "memory_mb".]',
  ]);
  assert.deepEqual(problemLines(cardWith({ resource_limits: { memory_high_mb: 5000 } })), [
    'card.conflict /resource_limits/memory_high_mb: "resource_limits.memory_high_mb" is 5000, which is above the default of "memory_mb", 4096: the agent would be ended before it is slowed down. [Write 4096 or less, or raise "memory_mb".]',
  ]);
  assert.equal(parse(cardWith({ resource_limits: { memory_mb: 1024, memory_high_mb: 1024 } })).ok, true);
  const ports = [{ port: 8080 }, { port: 9000, listen: '127.0.0.1:8080' }, { port: 8080, listen: '0.0.0.0:8080' }];
  assert.deepEqual(problemLines(cardWith({ network: { publish: ports } })), [
    'card.conflict /network/publish/1/listen: "network.publish[1]" listens on "127.0.0.1:8080", and so does "network.publish[0]". [Give each published port an address or port of its own.]',
  ]);
});
