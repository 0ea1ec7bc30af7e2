import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { bootPrivateHost } from '../../src/private-host/boot.ts';
import type { PrivateHost, RunInsideResult } from '../../src/private-host/private-host.ts';
import { CHECKOUT } from '../helpers/checkout.ts';

let host: PrivateHost;
let directory: string;

before(async () => {
  host = await bootPrivateHost({ isBare: true });
  directory = mkdtempSync(join(tmpdir(), 'agent-spawn-install-'));
  chmodSync(directory, 0o755);
  const card = {
    agent_id: 'sleeper',
    workspace: join(directory, 'workspace'),
    agent: 'shell',
    command: ['sleep', '600'],
    filesystem: { home: 'private' },
  };
  writeFileSync(join(directory, 'card.json'), JSON.stringify(card));
});
after(async () => {
  await host.stop();
  rmSync(directory, { recursive: true });
});

test('installing on a running systemd starts the daemon, which answers', async () => {
  const ended = await setUp('install-system');
  assert.deepEqual({ status: ended.status, stdout: ended.stdout }, { status: 0, stdout: '' }, ended.stderr);
  assert.equal(await inside('systemctl is-active agent-spawnd.socket agent-spawnd.service'), 'active\nactive');
  assert.equal(await inside('systemctl is-enabled agent-spawnd.socket agent-spawnd.service'), 'enabled\nenabled');
  assert.equal(await inside('agentctl list --json'), '[]');
  assert.equal(
    await inside('systemd-analyze verify --man=no agent-spawnd.service agent-spawnd.socket agents.slice 2>&1'),
    '',
  );
});

test('installing again replaces the daemon and leaves agents running', async () => {
  assert.equal(await inside(`agent-spawn --detach --quiet ${directory}/card.json`), 'sleeper');
  const before = await mainPids();
  assert.equal((await setUp('install-system')).status, 0);
  const later = await mainPids();
  assert.notEqual(later.daemon, before.daemon);
  assert.equal(later.agent, before.agent);
});

test('uninstalling is refused while an agent runs, and nothing is changed', async () => {
  const ended = await setUp('uninstall-system');
  assert.equal(ended.status, 1);
  assert.match(ended.stderr, /1 agents run \(sleeper\): stop them first, or use --force/);
  assert.equal(await inside('systemctl is-active agent-spawnd.service sandboxed-agent@sleeper'), 'active\nactive');
});

test('uninstalling by force stops agents and daemon and leaves only workspaces, cards and state', async () => {
  await inside(`touch ${directory}/workspace/made-by-agent; cp ${directory}/card.json /etc/agents/sleeper.json`);
  assert.equal(await inside('grep -c /homes/sleeper/ /proc/self/mountinfo'), '1');
  const ended = await setUp('uninstall-system', '--force');
  assert.equal(ended.status, 0, ended.stderr);
  assert.equal(
    await inside("systemctl list-units --all --plain --no-legend 'agent*' 'sandboxed-agent*' '*homes*.mount'"),
    '',
  );
  assert.equal(await inside('grep /homes/ /proc/self/mountinfo || true'), '');
  const names = [
    '*homes*.mount',
    '*agent-spawn*',
    '*agentctl*',
    'agents.slice*',
    '*agent-sleeper*',
    'sandboxed-agent*',
  ];
  const find = `find /etc /usr /var/lib /run -path '/run/agent-spawn-host-*' -prune -o -name ${names.map((name) => `'${name}'`).join(' -print -o -name ')} -print`;
  assert.equal(await inside(`${find} | sort`), '/etc/agent-spawn\n/var/lib/agent-spawn');
  assert.equal(readFileSync(join(directory, 'workspace/made-by-agent'), 'utf8'), '');
  assert.equal(await inside('ls /etc/agents'), 'sleeper.json');
});

test('uninstalling what is not installed says so', async () => {
  const ended = await setUp('uninstall-system');
  assert.equal(ended.status, 1);
  assert.match(ended.stderr, /nothing is installed/);
});

function setUp(command: string, ...args: readonly string[]): Promise<RunInsideResult> {
  return host.run([process.execPath, join(CHECKOUT, `src/setup/${command}.mjs`), ...args]);
}

async function inside(script: string): Promise<string> {
  const { stdout, stderr } = await host.run(['sh', '-c', script]);
  assert.equal(stderr, '', script);
  return stdout.trim();
}

async function mainPids(): Promise<{ daemon: string; agent: string }> {
  const show = 'systemctl show --property=MainPID --value';
  return { daemon: await inside(`${show} agent-spawnd`), agent: await inside(`${show} sandboxed-agent@sleeper`) };
}
