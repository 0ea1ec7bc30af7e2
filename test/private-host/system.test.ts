import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { bootPrivateHost } from '../../src/private-host/boot.ts';
import type { PrivateHost } from '../../src/private-host/private-host.ts';
import { findLeaks, takeSnapshot } from '../helpers/leaks.ts';

let host: PrivateHost;

before(async () => {
  host = await bootPrivateHost({ isBare: true });
});
after(() => host.stop());

test('systemd is PID 1, all of it is up and nothing has failed', async () => {
  assert.equal(await inside('systemctl is-system-running --wait'), 'running');
  assert.equal(await inside('cat /proc/1/comm'), 'systemd');
  assert.equal(await inside('systemctl --failed --plain --no-legend'), '');
  assert.equal(await inside('busctl --system status org.freedesktop.systemd1 | grep ^PID='), 'PID=1');
});

test('a command knows its unit', async () => {
  assert.match(await inside('systemctl status --no-pager $$'), /\.scope - /);
});

test('what is written to the system is gone with the host, what is written to shared directories stays', async () => {
  const shared = mkdtempSync(join(tmpdir(), 'private-host-'));
  try {
    const name = `left-by-private-host-${host.bootId}`;
    const system = [
      '/etc',
      '/usr/bin',
      '/usr/lib/systemd/system',
      '/opt',
      '/var/lib',
      '/var/cache',
      '/run',
      '/dev/shm',
    ];
    const written = [...system, shared].map((directory) => join(directory, name));
    assert.equal(
      await inside(`for f in ${written.join(' ')}; do echo x >$f || exit; cat $f; done | wc -l`),
      `${written.length}`,
    );
    assert.deepEqual(
      written.filter((path) => existsSync(path)),
      [join(shared, name)],
    );
  } finally {
    rmSync(shared, { recursive: true });
  }
});

test('kernel settings are out of reach, but for the limits that bubblewrap sets in a user namespace', async () => {
  const writable = (root: string): Promise<string> =>
    inside(
      `find ${root} -path /proc/sys/user -prune -o -type f -perm /200 -print | while read -r f; do [ -w "$f" ] && echo "$f"; done`,
    );
  assert.equal(await writable('/proc/sys'), '');
  // The positive control is the complete /proc that nobody uses.
  assert.match(await writable('/run/private-host/proc/sys/kernel'), /^\/run/);
});

test('the boot id and the machine id are its own', async () => {
  const machine = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  assert.notEqual(host.bootId, machine);
  assert.equal(await inside('cat /proc/sys/kernel/random/boot_id'), host.bootId);
  assert.equal(await inside('cat /etc/machine-id'), host.bootId.replaceAll('-', ''));
  assert.match(await inside('journalctl --list-boots --no-pager'), new RegExp(host.bootId.replaceAll('-', '')));
});

test('the only network is a loopback interface that is up', async () => {
  const interfaces = await inside("sed '1,2d; s/:.*//; s/ //g' /proc/net/dev");
  assert.equal(interfaces, 'lo');
  const server = 'require("net").createServer().listen(0,"127.0.0.1",()=>{console.log("up");process.exit()})';
  assert.equal((await host.run([process.execPath, '-e', server])).stdout, 'up\n');
});

test('the output of a unit is in the journal', async () => {
  await inside('systemd-run --quiet --wait --unit=speaker.service sh -c "echo spoken"');
  await inside('journalctl --sync');
  assert.equal(await inside('journalctl --no-pager --unit=speaker.service --output=cat --identifier=sh'), 'spoken');
});

test('a user of a drop-in in /run/userdb can be the user of a unit', async () => {
  await writeUser('agent-lookup', 1_900_000_001);
  assert.equal(await inside('id -un 1900000001'), 'agent-lookup');
  const unit = 'systemd-run --quiet --wait --pipe --property=User=agent-lookup';
  assert.equal(await inside(`${unit} sh -c 'echo $(id -u):$(id -g):$USER'`), '1900000001:1900000001:agent-lookup');
});

test('bubblewrap works as such a user in a unit without network', async () => {
  await writeUser('agent-wrapped', 1_900_000_002);
  const bwrap =
    'bwrap --unshare-all --share-net --unshare-user --disable-userns --cap-drop ALL --ro-bind / / --proc /proc --dev /dev --die-with-parent --new-session';
  const unit = 'systemd-run --quiet --wait --pipe --property=User=agent-wrapped --property=PrivateNetwork=yes';
  const script = 'grep -c . /proc/net/dev; cat /proc/1/comm; unshare -U true || echo refused';
  // Two header lines and lo.
  assert.equal(
    await inside(`${unit} --property=NoNewPrivileges=yes ${bwrap} sh -c '${script}' 2>/dev/null`),
    '3\nbwrap\nrefused',
  );
});

test('terminals of the machine are there under their names', async () => {
  assert.equal(await inside('ls -A /dev/pts | sort'), readdirSync('/dev/pts').sort().join('\n'));
});

test('a suite inside that leaves a unit, a process or a file behind is found out', async () => {
  const probe = join(import.meta.dirname, '../helpers/leaks.js');
  const script = `
    import { findLeaks, takeSnapshot } from ${JSON.stringify(probe)};
    import { spawnSync } from 'node:child_process';
    const before = takeSnapshot();
    console.log(JSON.stringify(await findLeaks(before, { withinMs: 0 })));
    spawnSync('systemd-run', ['--unit=leaky.service', '--service-type=exec', '--property=PrivateNetwork=yes', 'sleep', '1000']);
    console.log(JSON.stringify(await findLeaks(before, { withinMs: 0 })));
    spawnSync('systemctl', ['stop', 'leaky.service']);
    console.log(JSON.stringify(await findLeaks(before)));
  `;
  const { stdout, stderr } = await host.run([process.execPath, '--input-type=module', '-e', script]);
  const [none, some, gone] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as readonly string[]);
  assert.deepEqual(none, [], stderr);
  const kinds = ['cgroup', 'file', 'net namespace', 'process', 'unit'];
  for (const kind of kinds)
    assert.ok(
      some?.some((line) => line.startsWith(`${kind} left behind: `)),
      `${kind}: ${some}`,
    );
  assert.deepEqual(gone, []);
});

test('two hosts at once know nothing of each other', async () => {
  const other = await bootPrivateHost({ isBare: true });
  try {
    assert.notEqual(other.bootId, host.bootId);
    await inside('systemd-run --quiet --unit=only-here.service sleep 1000');
    assert.equal(await inside('systemctl is-active only-here.service'), 'active');
    const asked = await other.run(['systemctl', 'is-active', 'only-here.service']);
    assert.equal(asked.stdout, 'inactive\n');
    assert.equal((await other.run(['pgrep', '-x', 'sleep'])).status, 1);
  } finally {
    await other.stop();
  }
  assert.equal(await inside('systemctl is-active only-here.service'), 'active');
});

test('a stopped host leaves nothing, not even the directories of PrivateTmp=', async () => {
  const before = takeSnapshot();
  const stopped = await bootPrivateHost({ isBare: true });
  await stopped.run(['systemd-run', '--quiet', '--property=PrivateTmp=yes', 'sleep', '1000']);
  const only = new RegExp(`${stopped.name}|systemd-private-${stopped.bootId.replaceAll('-', '')}`);
  const kinds = [...takeSnapshot({ only })].filter(([, things]) => things.size > 0).map(([kind]) => kind);
  assert.deepEqual(kinds, ['cgroup', 'file', 'net namespace', 'process']);
  assert.equal(readdirSync('/tmp').filter((name) => only.test(name)).length, 1);
  await stopped.stop();
  await stopped.stop();
  assert.deepEqual(await findLeaks(new Map(), { only, withinMs: 0 }), []);
  // The machine's own mounts are exactly what they were.
  assert.deepEqual(takeSnapshot().get('mount'), before.get('mount'));
});

async function inside(script: string): Promise<string> {
  return (await host.run(['sh', '-c', script])).stdout.trim();
}

async function writeUser(name: string, uid: number): Promise<void> {
  const user = { userName: name, uid, gid: uid, homeDirectory: '/', shell: '/bin/sh', locked: true };
  const files = [
    [`${name}.user`, JSON.stringify(user)],
    [`${uid}.user`, JSON.stringify(user)],
    [`${name}.group`, JSON.stringify({ groupName: name, gid: uid })],
    [`${uid}.group`, JSON.stringify({ groupName: name, gid: uid })],
  ];
  const commands = files.map(([file, text]) => `echo '${text}' >/run/userdb/${file}`);
  assert.equal(await inside(['set -e; mkdir -p /run/userdb', ...commands, 'echo written'].join('\n')), 'written');
}
