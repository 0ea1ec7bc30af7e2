import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { succeed } from '../helpers/agents.ts';
import { CHECKOUT } from '../helpers/checkout.ts';
import { runCommand } from '../helpers/commands.ts';
import { connectTo, EgressStage, getUrl, head } from '../helpers/egress-stage.ts';
import { makeNodePackage, makeRepository, makeWheel } from '../helpers/internet-goods.ts';
import { type Puppet, type PuppetEnded, type TalkStep, verdictOf } from '../helpers/puppet.ts';
import { showProperty } from '../helpers/units.ts';

// Programs that people use, as they come: nothing is told to them but what the sandbox's environment says.

/** Enough that buffering it would show: several times the memory the proxy has. */
const DOWNLOAD_BYTES = 2 * 1024 ** 3;
const GROWTH_MAX_KIB = 64 * 1024;

const NEW_NODE = findNode('24.');

/** A Node of another version that the checkout has fetched for its tests. */
function findNode(version: string): string {
  const directory = realpathSync(join(CHECKOUT, '.cache/node'));
  const found = readdirSync(directory).find((name) => name.startsWith(version));
  return join(directory, found ?? version, `node_modules/node-linux-${process.arch}/bin/node`);
}

let stage: EgressStage;
let puppet: Puppet;
before(async () => {
  stage = await EgressStage.open();
  const { authority, directory } = stage.internet;
  const trust = [
    'SSL_CERT_FILE',
    'CURL_CA_BUNDLE',
    'GIT_SSL_CAINFO',
    'NODE_EXTRA_CA_CERTS',
    'NPM_CONFIG_CAFILE',
    'PIP_CERT',
  ];
  puppet = await stage.agent({
    allowed_hosts: ['api.example.com', 'packages.example.com', 'git.example.com'],
    filesystem: { read_only: [directory, dirname(NEW_NODE)] },
    environment: {
      ...Object.fromEntries(trust.map((name) => [name, authority])),
      ...{
        GIT_AUTHOR_NAME: 'a',
        GIT_AUTHOR_EMAIL: 'a@example.com',
        GIT_COMMITTER_NAME: 'a',
        GIT_COMMITTER_EMAIL: 'a@example.com',
      },
      ...{ GIT_TERMINAL_PROMPT: '0', NO_UPDATE_NOTIFIER: '1', PIP_DISABLE_PIP_VERSION_CHECK: '1' },
    },
  });
  for (const name of ['packages.example.com', 'git.example.com']) await stage.internet.answer(name, ['11.0.0.9']);
});
beforeEach(() => stage.internet.clear());
after(() => stage?.close());

/** Runs a program in the sandbox; it must end well. */
async function run(...argv: readonly string[]): Promise<string> {
  const ended = await puppet.run(argv);
  assert.equal(ended.status, 0, `${argv.join(' ')}\n${ended.stdout}\n${ended.stderr}`);
  return ended.stdout;
}

/** Runs a program in the sandbox that must fail, with nothing of it arriving. */
async function fail(...argv: readonly string[]): Promise<PuppetEnded> {
  await stage.internet.clear();
  const ended = await puppet.run(argv);
  assert.notEqual(ended.status, 0, `${argv.join(' ')}\n${ended.stdout}`);
  assert.deepEqual(await stage.internet.arrivals(), []);
  return ended;
}

/** Highest memory use of the proxy so far, kibibytes. */
async function peakMemory(): Promise<number> {
  const pid = await showProperty('agent-egressd.service', 'MainPID');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

test('curl reads pages of HTTP and HTTPS, in both versions, and tells why a host is refused', async () => {
  assert.match(await run('curl', '-sS', 'http://api.example.com/a'), /^GET \/a HTTP\/1\.1\n/);
  assert.match(await run('curl', '-sS', '--http1.1', 'https://api.example.com/b'), /^GET \/b HTTP\/1\.1\n/);
  assert.match(await run('curl', '-sS', '--http2', 'https://api.example.com/c'), /^GET \/c HTTP\/2\.0\n/);
  assert.match(
    await run('curl', '-sS', '-d', 'text', 'https://api.example.com/d'),
    /^POST \/d HTTP\/2\.0\n[\s\S]*\n\ntext$/,
  );
  const refused = await puppet.run(['curl', '-sS', 'http://evil.example.net/']);
  assert.match(refused.stdout, /^agent-spawn refused evil\.example\.net:80 \(egress\.no-rule\): /);
  const tunnel = await fail('curl', '-sS', 'https://evil.example.net/');
  assert.match(tunnel.stderr, /403/);
});

test('curl sends a large body whole', async () => {
  const sum =
    "head -c 50000000 /dev/zero | curl -sS -T - -o /dev/null -w '%{http_code} %{size_upload}' https://api.example.com/up";
  assert.equal(await run('bash', '-c', sum), '200 50000000');
});

test('git clones, commits and pushes over https', async () => {
  const repository = await makeRepository(stage.internet.directory, 'project');
  const url = 'https://git.example.com/git/project.git';
  await run('git', 'clone', '--quiet', url, 'project');
  await run(
    'bash',
    '-c',
    'cd project && head -c 3000000 /dev/urandom >blob && git add blob && git commit -q -m one && git push -q origin HEAD:main',
  );
  const log = await succeed(runCommand(['git', '-C', repository, 'log', '--format=%s %ae', 'main']));
  assert.equal(log.stdout, 'one a@example.com\n');
  await run('git', 'clone', '--quiet', url, 'again');
  await run('cmp', 'project/blob', 'again/blob');
  const refused = await fail('git', 'clone', '--quiet', 'https://evil.example.net/git/project.git', 'evil');
  assert.match(refused.stderr, /403/);
});

test('npm installs from a registry that is allowed and from no other', async () => {
  await makeNodePackage(stage.internet.directory, 'forty-two');
  const install = (host: string): readonly string[] => [
    'npm',
    'install',
    '--no-audit',
    '--no-fund',
    '--fetch-retries=0',
    '--cache=/tmp/npm',
    `--registry=https://${host}/packages/`,
    'forty-two',
  ];
  await run(...install('packages.example.com'));
  assert.equal(await run('node', '-p', 'require("forty-two")'), '42\n');
  await run('rm', '-rf', 'node_modules', '/tmp/npm');
  await fail(...install('evil.example.net'));
});

test('pip installs from an index that is allowed and from no other', async () => {
  await makeWheel(stage.internet.directory, 'fortytwo');
  const install = (host: string): readonly string[] => [
    '/usr/bin/pip3',
    'install',
    '-q',
    '--retries=0',
    '--no-cache-dir',
    '--target=wheels',
    `--index-url=https://${host}/packages/simple`,
    'fortytwo',
  ];
  await run(...install('packages.example.com'));
  assert.equal(
    await run(
      '/usr/bin/python3',
      '-c',
      'import sys; sys.path.insert(0, "wheels"); import fortytwo; print(fortytwo.answer)',
    ),
    '42\n',
  );
  await fail(...install('evil.example.net'));
});

test('python reads pages with its own library', async () => {
  const read = (url: string): readonly string[] => [
    '/usr/bin/python3',
    '-c',
    `import urllib.request; print(urllib.request.urlopen("${url}").read().decode())`,
  ];
  assert.match(await run(...read('https://api.example.com/p')), /^GET \/p HTTP\/1\.1\n/);
  assert.match(await run(...read('http://api.example.com/p')), /^GET \/p HTTP\/1\.1\n/);
  assert.match((await fail(...read('https://evil.example.net/'))).stderr, /403/);
});

test('fetch of a Node that knows proxies needs nothing but the environment', async () => {
  const fetch = (url: string): readonly string[] => [
    NEW_NODE,
    '-e',
    `fetch("${url}").then(r => r.text()).then(console.log, e => { console.error(e); process.exit(1) })`,
  ];
  assert.match(await run(...fetch('https://api.example.com/n')), /^GET \/n HTTP\/1\.1\n/);
  assert.match(await run(...fetch('http://api.example.com/n')), /^GET \/n HTTP\/1\.1\n/);
  await fail(...fetch('https://evil.example.net/'));
});

test('an older Node reaches hosts by its http module and the variables of the environment', async () => {
  const program = `const proxy = new URL(process.env.HTTPS_PROXY);
    require("http").request({ host: proxy.hostname, port: proxy.port, method: "CONNECT", path: "api.example.com:443", headers: { host: "api.example.com:443" } })
      .on("connect", (answer, socket) => require("https").get({ host: "api.example.com", path: "/o", socket, agent: false }, r => r.pipe(process.stdout))).end()`;
  assert.match(await run('node', '-e', program), /^GET \/o HTTP\/1\.1\n/);
  // One that asks nobody gets nowhere.
  await fail('node', '-e', 'fetch("https://api.example.com/").then(() => 0, () => process.exit(1))');
});

test('a websocket opens through a tunnel, with TLS and without, and carries frames both ways', async () => {
  const fields = ['Host: api.example.com', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13'];
  const handshake = head('GET /ws HTTP/1.1', ...fields, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==');
  // A masked frame of text (RFC 6455, section 5.7), and the same from the server.
  const [frame, echo] = ['\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58', '\x81\x05Hello'];
  const tls = { name: 'api.example.com', authority: stage.internet.authority, alpn: ['http/1.1'] };
  for (const [port, secure] of [
    [443, [{ tls }]],
    [80, []],
  ] as const) {
    const opening: readonly TalkStep[] = [{ send: connectTo(`api.example.com:${port}`) }, { read: 'head' }, ...secure];
    const frames: readonly TalkStep[] = [{ send: frame }, { read: 7 }, { send: frame }, { read: 7 }];
    const said = await puppet.talk([...opening, { send: handshake }, { read: 'head' }, ...frames]);
    assert.deepEqual(said.slice(-3).map(verdictOf), ['101', echo, echo], `port ${port}`);
  }
});

test('events of a server come one by one as they are sent, as many as in ten minutes', async () => {
  const event = 'data: 1\n\n';
  const read = { read: `9\r\n${event}\r\n`.length } as const;
  for (const [name, open] of [
    ['plain', [{ send: getUrl('api.example.com', '/stream/plain') }, { read: 'head' as const }]],
    [
      'tunnel',
      [
        { send: connectTo('api.example.com:80') },
        { read: 'head' as const },
        { send: head('GET /stream/tunnel HTTP/1.1', 'Host: api.example.com') },
        { read: 'head' as const },
      ],
    ],
  ] as const) {
    const heads = await puppet.open(name, open);
    assert.deepEqual(
      heads.map(verdictOf),
      heads.map(() => '200'),
    );
    for (let second = 0; second < 600; second += 1) {
      await stage.internet.push(name, event);
      const [said = ''] = await puppet.on(name, [read]);
      assert.ok(said.includes(event), `event ${second} of ${name}: ${said}`);
    }
    await puppet.on(name, [{ close: 'quietly' }]);
    await stage.internet.streamClosed(name);
  }
});

test('a large download goes through a tunnel in constant memory', async () => {
  await run('curl', '-sS', '-o', '/dev/null', 'http://api.example.com/bytes/100000000');
  const earlier = await peakMemory();
  const url = `https://api.example.com/bytes/${DOWNLOAD_BYTES}`;
  assert.equal(await run('curl', '-sS', '-o', '/dev/null', '-w', '%{size_download}', url), String(DOWNLOAD_BYTES));
  const growth = (await peakMemory()) - earlier;
  assert.ok(growth < GROWTH_MAX_KIB, `the proxy grew by ${growth} KiB`);
});

test('what is downloaded is what was sent, to the last byte', async () => {
  const sum = createHash('sha256').update(Buffer.alloc(10_000_001, 'x')).digest('hex');
  for (const scheme of ['http', 'https']) {
    const told = await run('bash', '-c', `curl -sS ${scheme}://api.example.com/bytes/10000001 | sha256sum`);
    assert.equal(told, `${sum}  -\n`);
  }
});

test('with HTTP/2 the server sees the host of the tunnel, and a second host is another tunnel', async () => {
  await run('curl', '-sS', '--http2', 'https://api.example.com/1', 'https://packages.example.com/2');
  const arrivals = (await stage.internet.arrivals('http')).map(
    ({ address, serverName, target }) => `${address} ${serverName} ${target}`,
  );
  assert.deepEqual(arrivals, ['11.0.0.7 api.example.com /1', '11.0.0.9 packages.example.com /2']);
});

test('the environment of an agent says where the proxy is, in every spelling', async () => {
  const told = JSON.parse(await run('node', '-p', 'JSON.stringify(process.env)')) as Readonly<Record<string, string>>;
  for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy']) {
    if (name.toLowerCase() !== 'all_proxy') assert.equal(told[name], 'http://127.0.0.1:3128', name);
  }
  assert.equal(told['NODE_USE_ENV_PROXY'], '1');
  assert.match(told['NO_PROXY'] ?? '', /localhost/);
  assert.equal(told['NO_PROXY'], told['no_proxy']);
});
