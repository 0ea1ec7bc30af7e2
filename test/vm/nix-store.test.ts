import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createListener } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { agentctl, detachAgent, runAgent, succeed, type TestCard, viewAgent } from '../helpers/agents.ts';
import { askProxy } from '../helpers/asker.ts';
import { agentProgram, awaitFile, runCommand } from '../helpers/commands.ts';
import { declareCard, declareText, unitFileOf, withdrawCard } from '../helpers/declared-cards.ts';
import { ask } from '../helpers/published.ts';
import { StoreHost, storePath } from '../helpers/store-host.ts';
import { showProperty, unitOf } from '../helpers/units.ts';

// A host as NixOS is one: the package and all that it runs lie in a store, and nothing of it in /usr.

const OPEN = storePath('open');
const DAEMON_SOCKET = '/nix/var/nix/daemon-socket/socket';
const KEY = 'sk-of-the-store-host-0123456789';

/** An agent that tells what it finds and tries to write where root's programs are. */
const OPENCODE = `#!/bin/sh
echo "words=$*"
for name in PATH TZDIR LOCALE_ARCHIVE; do eval "echo $name=\\$$name"; done
for place in /nix/store ${OPEN} /workspace; do
  (echo planted >"$place/planted") 2>/dev/null && echo "wrote=$place"
done
echo "nix=$(ls -A /nix) run=$(ls -A /run 2>/dev/null)"
cat "$SSL_CERT_FILE" "$TZDIR/Etc/UTC" "$LOCALE_ARCHIVE" >/dev/null && echo "read=all"
exit 3
`;

/** Serves a port, and asks the proxy what it is told to ask. */
const WORKER = [
  ...[
    'bash',
    '-c',
    'printf %s "$OPENAI_API_KEY" | tr "a-z" "A-Z" >key; python3 -c "$1" & exec python3 -c "$2" "$3" 8080',
  ],
  ...['worker', agentProgram('asker.py')[2] ?? '', agentProgram('serve.py')[2] ?? '', 'worker'],
];

let host: StoreHost;
let directory = '';
const servers: Server[] = [];

before(async () => {
  host = await StoreHost.open({ opencode: OPENCODE });
  directory = mkdtempSync('/srv/nix-store-');
  writeFileSync(join(directory, 'key'), KEY, { mode: 0o600 });
  await host.withOpenStore(() => mkdirSync(OPEN));
  await succeed(runCommand(['chmod', '0755', directory]));
});
after(async () => {
  for (const server of servers) server.close();
  await host?.[Symbol.asyncDispose]();
  if (directory !== '') rmSync(directory, { recursive: true });
});

function card(id: string, keys: Readonly<Record<string, unknown>>): TestCard {
  return { agent_id: id, workspace: join(directory, id), ...keys };
}

/** A server of this host; its `address:port`. */
async function listen(address = '127.0.0.1'): Promise<string> {
  const server = createServer((_request, response) => void response.end('hello'));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return `${address}:${(server.address() as AddressInfo).port}`;
}

test('daemon and proxy run from the store, with every program that they look for in it', async () => {
  assert.equal(existsSync('/usr/lib/agent-spawn'), false);
  const started = await showProperty('agent-spawnd.service', 'ExecStart');
  assert.match(started, new RegExp(`path=${host.prefix}/lib/agent-spawn/agent-spawnd\\.cjs`));
  assert.deepEqual(JSON.parse((await agentctl('list', '--json')).stdout), []);
});

test('an agent of the store is found by its name, sees the store and nothing else of /nix, and can write to none of it', async () => {
  const wanted = card('spawned', { agent: 'opencode', network: { mode: 'none' } });
  // With the store open to everybody nothing but the sandbox keeps the agent from writing, as the control shows.
  const ended = await host.withOpenStore(async () => {
    await succeed(runCommand(['chmod', '1777', '/nix/store', OPEN]));
    const anybody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'touch'];
    await succeed(runCommand([...anybody, `${OPEN}/control`, '/nix/store/control']));
    const socket = createListener().listen(DAEMON_SOCKET);
    const told = await runAgent(wanted, { args: ['build it'] });
    socket.close();
    for (const path of [`${OPEN}/control`, '/nix/store/control']) rmSync(path);
    await succeed(runCommand(['chmod', '1775', '/nix/store', OPEN]));
    return told;
  });
  const profile = storePath('system-path-first');
  assert.deepEqual(ended.stdout.trimEnd().split('\n'), [
    'words=run -- build it',
    `PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${profile}/bin`,
    'TZDIR=/etc/zoneinfo',
    `LOCALE_ARCHIVE=${storePath('locales')}/lib/locale/locale-archive`,
    'wrote=/workspace',
    'nix=store run=',
    'read=all',
  ]);
  // The exit report came from the store, too.
  const { outcome, usage } = await viewAgent('spawned');
  assert.equal(ended.status, 3, ended.stderr);
  assert.deepEqual([outcome?.kind, outcome?.status], ['exited', 3]);
  assert.ok((usage?.memoryPeakBytes ?? 0) > 0, JSON.stringify(usage));
});

test('a declared agent has its key, its way out and its port by scripts and relays of the store', async () => {
  const [open, shut] = [await listen(), await listen()];
  const wanted = card('declared', {
    command: WORKER,
    allowed_hosts: [open],
    api_provider: 'openai',
    api_key_file: join(directory, 'key'),
    api_key_delivery: 'env',
    network: { publish: [{ port: 8080, listen: '127.0.0.1:18080' }] },
  });
  await declareCard(wanted);
  const unit = readFileSync(unitFileOf('declared'), 'utf8');
  assert.doesNotMatch(unit, /\/usr\/(bin\/bwrap|lib\/agent-spawn)|\/run\/current-system/);
  assert.match(
    unit,
    new RegExp(`^ExecStart=:/run/agent-spawn/programs/with-keys .* ${storePath('tools')}/bin/bwrap `, 'm'),
  );
  await succeed(runCommand(['systemctl', 'start', unitOf('declared')]));
  await awaitFile(join(wanted.workspace, 'key'), (text) => text === KEY.toUpperCase());
  assert.equal((await askProxy(wanted.workspace, open)).status, 200);
  assert.equal((await askProxy(wanted.workspace, shut)).status, 403);
  assert.deepEqual(await ask('127.0.0.1:18080', 'who'), { text: 'worker 127.0.0.1', error: null });
  for (const relay of ['agent-egress@declared.service', 'agent-publish@declared:8080-*.service']) {
    const path = `${storePath('systemd')}/lib/systemd/systemd-socket-proxyd`;
    assert.match(await showProperty(relay, 'ExecStart'), new RegExp(`path=${path} `), relay);
  }
  assert.equal((await agentctl('logs', 'declared')).stdout.split('\n').at(-2), 'ready');
  await withdrawCard('declared');
});

test('a card that is refused says so by a script of the store, as does a port that somebody has', async () => {
  await declareText('refused.json', '{ "agent_id": "refused" }');
  assert.notEqual((await runCommand(['systemctl', 'start', unitOf('refused')])).status, 0);
  assert.match(await showProperty(unitOf('refused'), 'StatusText'), /refused\.json: .*workspace/);
  await withdrawCard('refused');
  const taken = await listen();
  const publish = { network: { publish: [{ port: 8080, listen: taken }] }, command: ['true'] };
  const ended = await runAgent(card('late', publish));
  assert.match(ended.stderr, new RegExp(`${taken} cannot be published: "node" of \\S+ listens there`));
});

test('a link and its wall are made by the tools of the store', async () => {
  await succeed(runCommand(['ip', 'address', 'add', '11.0.0.1/32', 'dev', 'lo']));
  const [address = '', port = ''] = (await listen('11.0.0.1')).split(':');
  const allow = [{ address, port: Number(port) }];
  const script = `import urllib.request as u; print(u.build_opener(u.ProxyHandler({})).open("http://${address}:${port}").read())`;
  const ended = await runAgent(
    card('linked', { network: { mode: 'veth', allow }, command: ['python3', '-c', script] }),
  );
  await succeed(runCommand(['ip', 'address', 'delete', '11.0.0.1/32', 'dev', 'lo']));
  assert.equal(ended.stdout, "b'hello'\n", ended.stderr);
  assert.deepEqual((await runCommand(['nft', 'list', 'tables'])).stdout, '');
});

test('when another generation runs, an agent has that one’s programs, without a restart of the daemon', async () => {
  await declareCard(card('waiting', { command: ['hello'], network: { mode: 'none' } }));
  assert.match(readFileSync(unitFileOf('waiting'), 'utf8'), /"hello" was not found|\\"hello\\" was not found/);
  const programs = { opencode: OPENCODE, hello: '#!/bin/sh\necho "hello from $0"\n' };
  await host.withOpenStore(() => host.switchSystem('second', programs));
  const ended = await succeed(runAgent(card('switched', { command: ['hello'], network: { mode: 'none' } })));
  assert.equal(ended.stdout, `hello from ${storePath('system-path-second')}/bin/hello\n`);
  await awaitFile(unitFileOf('waiting'), (text) => / -- hello$/m.test(text));
  await withdrawCard('waiting');
});

test('an agent outlives the package that started it, and its end is told by the next one', async () => {
  await detachAgent(card('old', { command: ['sleep', 'infinity'], network: { mode: 'none' } }));
  const before = host.prefix;
  await host.withOpenStore(() => host.replacePackage('agent-spawn-0.2.0'));
  assert.deepEqual([existsSync(before), (await viewAgent('old')).state], [false, 'running']);
  await agentctl('stop', 'old');
  const { outcome, usage } = await viewAgent('old');
  assert.equal(outcome?.kind, 'stopped');
  // Only the exit report knows that.
  assert.ok((usage?.memoryPeakBytes ?? 0) > 0, JSON.stringify(usage));
});

test('agents that have ended leave nothing on such a host', async () => {
  await detachAgent(card('stopped', { command: ['sleep', 'infinity'], filesystem: { home: 'private' } }));
  await agentctl('stop', 'stopped');
  for (const id of ['spawned', 'declared', 'linked', 'switched', 'old', 'stopped']) await agentctl('rm', id);
  const places = [
    '/run/agent-spawn/agents',
    '/run/agent-spawn/exits',
    '/run/agent-spawn/homes',
    '/run/agent-spawn/records',
  ];
  assert.deepEqual(
    places.flatMap((path) => readdirSync(path)),
    [],
  );
  assert.deepEqual(
    readdirSync('/run/userdb').filter((name) => name.startsWith('agent-')),
    [],
  );
  const units = [
    'list-units',
    '--all',
    '--plain',
    '--no-legend',
    'sandboxed-agent@*',
    'agent-publish@*',
    'agent-veth@*',
    '*homes*',
  ];
  assert.equal((await runCommand(['systemctl', ...units])).stdout, '');
});
