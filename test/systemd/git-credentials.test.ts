import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { agentctl, succeed } from '../helpers/agents.ts';
import { runCommand } from '../helpers/commands.ts';
import { EgressStage } from '../helpers/egress-stage.ts';
import { basic, LOGIN_FILE } from '../helpers/internet-git.ts';
import { makeRepository } from '../helpers/internet-goods.ts';
import { distrustAuthority, trustAuthority } from '../helpers/proxy-trust.ts';
import type { Puppet, PuppetEnded } from '../helpers/puppet.ts';
import { showProperty } from '../helpers/units.ts';

// git with a token that the agent does not have: what it writes are the addresses that everybody writes.

const TOKEN = 'ghp_sparrow7Qm2xV9LtR4wKz8pNcD5sG0fHv';
const LOGIN = `x-access-token:${TOKEN}`;
const VALUE = basic(LOGIN);
const BASE = 'https://git.example.com/git/private';
const RELAY = 'http://127.0.0.1:3128/git';
/** What of a token nobody may see: itself, and what Basic makes of it. */
const SECRETS = [TOKEN, 'sparrow7Q', VALUE.replace('Basic ', '')];
const PUSHED_BYTES = 50 * 1024 * 1024;
/** Less than what is pushed: a busy process takes some twenty megabytes anyway before it tidies up. */
const GROWTH_MAX_KIB = 40 * 1024;
const RESTARTED = /agent-(spawn|egress)d\.(service|socket|cjs)/;

const AUTHOR = {
  ...{ GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@example.com' },
  ...{ GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@example.com' },
};

let stage: EgressStage;
let puppet: Puppet;
let keys: string;
let project: string;
before(async () => {
  stage = await EgressStage.open({ ignoreLeaks: RESTARTED });
  const { internet } = stage;
  for (const name of ['git', 'moved', 'telling', 'closed', 'single']) {
    await internet.answer(`${name}.example.com`, ['11.0.0.9']);
  }
  await trustAuthority(internet.authority);
  mkdirSync(join(internet.directory, 'git/private'), { recursive: true });
  writeFileSync(join(internet.directory, 'git/private', LOGIN_FILE), LOGIN);
  project = await makeRepository(internet.directory, 'private/project');
  await makeRepository(internet.directory, 'private/part');
  await makeRepository(internet.directory, 'private/large');
  await makeRepository(internet.directory, 'public');
  await makeRepository(internet.directory, 'privately');
  keys = mkdtempSync('/run/as-test-keys-');
  writeFileSync(join(keys, 'token'), `${TOKEN}\n`, { mode: 0o600 });
  puppet = await stage.agent({
    environment: { ...AUTHOR, GIT_SSL_CAINFO: internet.authority },
    filesystem: { read_only: [internet.authority] },
    allowed_hosts: ['git.example.com'],
    credentials: [
      tokenFor(BASE),
      tokenFor('https://moved.example.com'),
      tokenFor('https://telling.example.com'),
      tokenFor('https://closed.example.com'),
      tokenFor('https://single.example.com/git/private/project'),
    ],
  });
  await commitTo(`${BASE}/part.git`, 'part', 'echo part >file');
  await commitTo(
    `${BASE}/project.git`,
    'first',
    'for n in 1 2 3; do echo $n >file; git add .; git commit -qm $n; done',
  );
});
beforeEach(() => stage.internet.clear());
after(async () => {
  await distrustAuthority();
  rmSync(keys, { recursive: true, force: true });
  await stage?.close();
});

/** An entry of a card. */
function tokenFor(baseUrl: string): object {
  return { provider: 'git', base_url: baseUrl, api_key_file: join(keys, 'token') };
}

/** Runs a program in the sandbox; it must end well and tell nothing of the token. */
async function run(...argv: readonly string[]): Promise<PuppetEnded> {
  const ended = await attempt(...argv);
  assert.equal(ended.status, 0, `${argv.join(' ')}\n${ended.stdout}\n${ended.stderr}`);
  return ended;
}

/** The same for one that may end as it likes. */
async function attempt(...argv: readonly string[]): Promise<PuppetEnded> {
  const ended = await puppet.run(argv);
  for (const secret of SECRETS)
    assert.ok(!`${ended.stdout}${ended.stderr}`.includes(secret), `${argv.join(' ')} tells ${secret}`);
  return ended;
}

/** Makes a commit and pushes it to an empty repository, from within the sandbox. */
async function commitTo(url: string, name: string, script: string): Promise<void> {
  const setUp = `git init -q -b main ${name} && cd ${name} && { ${script}; } && git add . && git commit -qm ${name} --allow-empty`;
  await run('bash', '-c', `${setUp} && git push -q ${url} HEAD:main`);
}

/** Every request that reached a server, with what it told of who asks. */
async function asked(): Promise<readonly string[]> {
  const arrivals = await stage.internet.arrivals('http');
  return arrivals.map(({ method, host, target, headers }) => {
    const told = headers.find(([name]) => name === 'authorization')?.[1];
    const who = told === undefined ? 'nobody' : told === VALUE ? 'token' : told;
    return `${method} ${host}${target} by ${who}`;
  });
}

test('git clones, fetches, lists and pushes a private repository with its ordinary address', async () => {
  await run('git', 'clone', '-q', `${BASE}/project.git`, 'project');
  assert.match((await run('git', '-C', 'project', 'log', '--format=%s')).stdout, /^first\n3\n2\n1\n$/);
  await run('bash', '-c', 'cd project && echo more >more && git add . && git commit -qm more && git push -q');
  const pushed = await succeed(runCommand(['git', '-C', project, 'log', '-1', '--format=%s %ae', 'main']));
  assert.equal(pushed.stdout, 'more a@example.com\n');
  await run('git', '-C', 'first', 'fetch', '-q', `${BASE}/project.git`, 'main');
  assert.equal((await run('git', '-C', 'first', 'log', '-1', '--format=%s', 'FETCH_HEAD')).stdout, 'more\n');
  assert.match((await run('git', 'ls-remote', `${BASE}/project.git`)).stdout, /\trefs\/heads\/main\n$/);
  const requests = await asked();
  assert.ok(requests.length > 8, requests.join('\n'));
  assert.deepEqual(
    requests.filter((request) => !request.endsWith(' by token')),
    [],
  );
});

test('a shallow clone, a branch that is deleted and an address of ssh work as well', async () => {
  await run('git', 'clone', '-q', '--depth=1', `${BASE}/project.git`, 'shallow');
  assert.equal((await run('git', '-C', 'shallow', 'rev-list', '--count', 'HEAD')).stdout, '1\n');
  await run('git', '-C', 'shallow', 'fetch', '-q', '--unshallow');
  await run('git', '-C', 'shallow', 'push', '-q', 'origin', 'HEAD:passing');
  await run('git', '-C', 'shallow', 'push', '-q', 'origin', '--delete', 'passing');
  for (const url of [
    'git@git.example.com:git/private/project.git',
    'ssh://git@git.example.com/git/private/project.git',
  ]) {
    assert.match((await run('git', 'ls-remote', url)).stdout, /refs\/heads\/main/, url);
  }
  const places = await stage.connections();
  assert.deepEqual(
    places.filter((place) => !place.endsWith(' 443')),
    [],
  );
});

test('a submodule with a relative address is fetched with the token of its parent', async () => {
  const script = `git submodule --quiet add -b main ${BASE}/part.git part && git config -f .gitmodules submodule.part.url ../part.git`;
  await makeRepository(stage.internet.directory, 'private/whole');
  await commitTo(`${BASE}/whole.git`, 'whole', script);
  await stage.internet.clear();
  await run('git', 'clone', '-q', '--recurse-submodules', `${BASE}/whole.git`, 'again');
  assert.equal((await run('cat', 'again/part/file')).stdout, 'part\n');
  assert.equal((await run('git', 'config', '-f', 'again/.gitmodules', 'submodule.part.url')).stdout, '../part.git\n');
  const requests = await asked();
  assert.ok(
    requests.some((request) => request.includes('/private/part.git/')),
    requests.join('\n'),
  );
  assert.deepEqual(
    requests.filter((request) => !request.endsWith(' by token')),
    [],
  );
});

test('what git-lfs asks for goes through, and other paths of the same server do not', async () => {
  const lfs = `${RELAY}/git.example.com/git/private/project.git/info/lfs/objects`;
  const batch = await run('curl', '-sS', '-d', '{"operation":"download"}', `${lfs}/batch`);
  assert.deepEqual(JSON.parse(batch.stdout), { path: '/git/private/project.git/info/lfs/objects/batch', bytes: 24 });
  assert.match((await run('curl', '-sS', `${lfs}/0123abcd`)).stdout, /"bytes":0/);
  assert.deepEqual(await asked(), [
    'POST git.example.com/git/private/project.git/info/lfs/objects/batch by token',
    'GET git.example.com/git/private/project.git/info/lfs/objects/0123abcd by token',
  ]);
  await stage.internet.clear();
  for (const path of ['', '/', '/HEAD', '/objects/info/packs', '/info', '/git-upload-archive', '/settings/hooks']) {
    const { stdout } = await attempt('curl', '-sS', `${RELAY}/git.example.com/git/private/project.git${path}`);
    assert.match(stdout, /egress\.gateway-path/, path);
  }
  for (const method of ['PUT', 'DELETE', 'PATCH']) {
    const { stdout } = await attempt('curl', '-sS', '-X', method, `${lfs}/0123abcd`);
    assert.match(stdout, /egress\.gateway-path/, method);
  }
  assert.deepEqual(await asked(), []);
});

test('a push of many megabytes is passed on as it comes', async () => {
  const make = `git init -q -b main big && cd big && head -c ${PUSHED_BYTES} /dev/urandom >blob && git add . && git commit -qm big`;
  await run('bash', '-c', make);
  const before = await peakMemory();
  await run('git', '-C', 'big', 'push', '-q', `${BASE}/large.git`, 'HEAD:main');
  const grown = (await peakMemory()) - before;
  assert.ok(grown < GROWTH_MAX_KIB, `the proxy grew by ${grown} KiB`);
  await run('git', 'clone', '-q', `${BASE}/large.git`, 'large');
  await run('cmp', 'big/blob', 'large/blob');
});

/** Highest memory use of the proxy so far, kibibytes. */
async function peakMemory(): Promise<number> {
  const pid = await showProperty('agent-egressd.service', 'MainPID');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

test('repositories beside those of the token are refused at the gateway and get no token otherwise', async () => {
  const beside = [
    ...['public.git', 'privately.git', 'private/../public.git', 'private/%2e%2e/public.git', 'private/..%2fpublic.git'],
    ...['private.gitx', 'private/./../public.git', 'private//../public.git', 'Private/project.git'],
  ];
  for (const path of beside) {
    const url = `${RELAY}/git.example.com/git/${path}/info/refs?service=git-upload-pack`;
    const { stdout } = await attempt('curl', '-sS', '--path-as-is', url);
    assert.match(stdout, /egress\.(gateway-path|bad-request)/, path);
  }
  assert.deepEqual(await asked(), []);
  await run('git', 'ls-remote', 'https://git.example.com/git/public.git');
  assert.deepEqual(
    (await asked()).filter((request) => !request.endsWith(' by nobody')),
    [],
    'without the token, as anybody',
  );
});

test('a token for one repository opens no other of the same server', async () => {
  const base = 'https://single.example.com/git/private';
  assert.match((await run('git', 'ls-remote', `${base}/project.git`)).stdout, /refs\/heads\/main/);
  await stage.internet.clear();
  const neighbour = await attempt('git', 'ls-remote', `${base}/part.git`);
  assert.notEqual(neighbour.status, 0);
  const direct = await attempt('git', 'ls-remote', `${RELAY}/single.example.com/git/private/part.git`);
  assert.match(direct.stderr, /403/);
  const alike = await attempt('git', 'ls-remote', `${base}/project.gitx`);
  assert.match(alike.stderr, /403/);
  assert.deepEqual(await asked(), []);
});

test('another host gets no token, whatever the agent asks for', async () => {
  for (const host of [
    'evil.example.net',
    'git.example.com.evil.example.net',
    'api.example.com',
    'git.example.com:8443',
  ]) {
    const { status } = await attempt('git', 'ls-remote', `${RELAY}/${host}/git/private/project.git`);
    assert.notEqual(status, 0, host);
  }
  const lying = ['-H', 'Host: evil.example.net', '-H', 'X-Forwarded-Host: evil.example.net'];
  await attempt('curl', '-sS', ...lying, `${RELAY}/git.example.com/git/private/project.git/info/refs`);
  const requests = await asked();
  assert.deepEqual(requests, ['GET git.example.com/git/private/project.git/info/refs by token']);
});

test('a server that leads elsewhere, that tells what it was sent or that knows nobody gives no token away', async () => {
  const moved = await attempt('git', 'ls-remote', 'https://moved.example.com/git/moved/project.git');
  assert.notEqual(moved.status, 0);
  assert.match(moved.stderr, /error: \d+|403|502/);
  const telling = `${RELAY}/telling.example.com/git/telling/x.git/info/refs`;
  const told = await run('curl', '-sS', '-i', telling);
  assert.match(told.stdout, /^HTTP\/1\.1 500 [\s\S]*x-told: Basic \*+\r?\n[\s\S]*"value":"\*+"/i);
  assert.notEqual((await attempt('git', 'ls-remote', 'https://telling.example.com/git/telling/x.git')).status, 0);
  const closed = await attempt('git', 'ls-remote', 'https://closed.example.com/git/closed/x.git');
  assert.match(closed.stderr, /terminal prompts disabled|Authentication failed/);
  const requests = await asked();
  assert.deepEqual(
    requests.filter((request) => request.includes('evil')),
    [],
  );
  for (const name of ['moved', 'telling', 'closed']) {
    assert.ok(
      requests.some((request) => request.includes(`${name}.example.com`) && request.endsWith(' by token')),
      name,
    );
  }
});

test('what the agent says of itself does not get to the server', async () => {
  const url = `http://me:mine@127.0.0.1:3128/git/git.example.com/git/private/project.git`;
  await run('git', 'ls-remote', url);
  await run('git', '-c', 'http.extraHeader=Authorization: Bearer mine', 'ls-remote', `${BASE}/project.git`);
  await run('git', '-c', 'http.extraHeader=Cookie: mine', 'ls-remote', `${BASE}/project.git`);
  const requests = await asked();
  assert.deepEqual([...new Set(requests.map((request) => request.split(' by ')[1]))], ['token']);
  const arrivals = await stage.internet.arrivals('http');
  assert.doesNotMatch(JSON.stringify(arrivals.map(({ headers }) => headers)), /mine/);
});

test('the token is nowhere inside, nor in what the host tells of the agent', async () => {
  const trace = { GIT_TRACE: '1', GIT_TRACE_CURL: '1', GIT_TRACE_CURL_NO_DATA: '0', GIT_TRACE_REDACT: '0' };
  const words = Object.entries(trace).map(([name, value]) => `${name}=${value}`);
  const traced = await run('env', ...words, 'git', 'ls-remote', `${BASE}/project.git`);
  assert.match(traced.stderr, /\/git\/git\.example\.com\/git\/private\/project\.git\/info\/refs/);
  await run('git', 'config', '--list', '--show-origin');
  await run('env');
  const places = '/workspace /home /tmp /etc /proc/self/environ /proc/1/environ /proc/1/cmdline';
  for (const secret of SECRETS) {
    const found = await puppet.run(['bash', '-c', `grep -rlF -- "$(cat)" ${places} 2>/dev/null; true`], secret);
    assert.equal(found.stdout, '', `a file of the sandbox holds ${secret}`);
  }
  const control = await puppet.run([
    'bash',
    '-c',
    `printf ${TOKEN} >/tmp/planted; grep -rl ${TOKEN} ${places} 2>/dev/null; rm /tmp/planted`,
  ]);
  assert.equal(control.stdout, '/tmp/planted\n');
  for (const command of ['inspect', 'audit']) {
    const { stdout } = await agentctl(command, puppet.id);
    for (const secret of SECRETS) assert.ok(!stdout.includes(secret), command);
  }
});

test('without the credential the clone fails', async () => {
  const { internet } = stage;
  const other = await stage.agent({
    environment: { GIT_SSL_CAINFO: internet.authority, GIT_TERMINAL_PROMPT: '0' },
    filesystem: { read_only: [internet.authority] },
    allowed_hosts: ['git.example.com'],
  });
  const { status, stderr } = await other.run(['git', 'clone', '-q', `${BASE}/project.git`]);
  assert.notEqual(status, 0);
  assert.match(stderr, /could not read Username|Authentication failed/);
  const gateway = await other.run(['git', 'ls-remote', `${RELAY}/git.example.com/git/private/project.git`]);
  assert.match(gateway.stderr, /egress\.no-gateway/);
  assert.deepEqual([...new Set((await asked()).map((request) => request.split(' by ')[1]))], ['nobody']);
});
