import assert from 'node:assert/strict';
import test from 'node:test';
import { parseCgroups } from '../../src/private-host/cgroup-layout.ts';

const PURE = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot';
const HYBRID = [
  '31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755',
  '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
  '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory',
  '40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/x,name=systemd',
  '41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate',
].join('\n');

test('a machine with version 2 alone', () => {
  assert.deepEqual(parseCgroups(PURE, '0::/user.slice/user-0.slice/session-1.scope\n'), {
    layout: 'v2',
    hierarchies: [
      {
        type: 'cgroup2',
        options: '-',
        name: '.',
        mountPoint: '/sys/fs/cgroup',
        ownDirectory: '/sys/fs/cgroup/user.slice/user-0.slice/session-1.scope',
      },
    ],
  });
});

test('a hybrid machine: every mounted hierarchy, each with its own path', () => {
  const { layout, hierarchies } = parseCgroups(
    HYBRID,
    '9:name=systemd:/a\n8:pids:/\n4:memory:/b/c\n2:cpu,cpuacct:/\n0::/a\n',
  );
  assert.equal(layout, 'hybrid');
  assert.deepEqual(
    hierarchies.map(({ options, name, ownDirectory }) => [options, name, ownDirectory]),
    [
      ['none,xattr,name=systemd', 'systemd', '/sys/fs/cgroup/systemd/a'],
      ['memory', 'memory', '/sys/fs/cgroup/memory/b/c'],
      ['cpu,cpuacct', 'cpu,cpuacct', '/sys/fs/cgroup/cpu,cpuacct'],
      ['-', 'unified', '/sys/fs/cgroup/unified/a'],
    ],
  );
});

test('without a version 2 mount it is version 1', () => {
  const lines = HYBRID.split('\n').filter((line) => !line.includes('cgroup2'));
  const { layout } = parseCgroups(lines.join('\n'), '9:name=systemd:/\n4:memory:/\n0::/\n');
  assert.equal(layout, 'v1');
});

test('version 2 beside a named hierarchy without controllers counts as version 2 alone', () => {
  const mounts = `${PURE}\n50 1 0:50 / /mnt/x rw - cgroup cgroup rw,name=other`;
  assert.equal(parseCgroups(mounts, '1:name=other:/\n0::/\n').layout, 'v2');
});

test('in a container that sees only its own branch the path starts there', () => {
  const mounts = PURE.replace(' / /sys', ' /docker/abc /sys');
  assert.equal(parseCgroups(mounts, '0::/docker/abc/x\n').hierarchies[0]?.ownDirectory, '/sys/fs/cgroup/x');
  assert.equal(parseCgroups(mounts, '0::/docker/abc\n').hierarchies[0]?.ownDirectory, '/sys/fs/cgroup');
  assert.deepEqual(parseCgroups(mounts, '0::/docker/abcd\n').hierarchies, []);
  assert.deepEqual(parseCgroups(PURE, '0::/../x\n').hierarchies, []);
});

test('blanks in paths are decoded', () => {
  const mounts = PURE.replace('/sys/fs/cgroup', '/odd\\040place');
  assert.equal(parseCgroups(mounts, '0::/\n').hierarchies[0]?.mountPoint, '/odd place');
});
