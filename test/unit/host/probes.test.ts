import assert from 'node:assert/strict';
import test from 'node:test';
import { parseOptions } from '../../../src/host/bubblewrap.ts';
import { probeCgroupLayout, unifiedMounts } from '../../../src/host/cgroup-layout.ts';
import { parseShebang } from '../../../src/host/shebang.ts';
import { parsePasswd, UserNames } from '../../../src/host/user-names.ts';
import { FakeHost } from '../../helpers/fake-host.ts';

const CGROUP2 = '25 20 0:22 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate';
const HYBRID = [
  '31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755',
  '35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
  '41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
].join('\n');

test('long options of bwrap are those at the beginning of a line', () => {
  const help = [
    'usage: bwrap [OPTIONS...] [--] COMMAND [ARGS...]',
    '',
    '    --unshare-all                Unshare every namespace we support by default',
    '    --share-net                  Retain the network namespace (can only combine with --unshare-all)',
    '    --bind SRC DEST              Bind mount the host path SRC on DEST',
  ].join('\n');
  assert.deepEqual(parseOptions(help), ['--unshare-all', '--share-net', '--bind']);
});

test('the layout is unified when the controllers are in the one hierarchy', async () => {
  const { files } = new FakeHost();
  files.seedFile('/proc/self/mountinfo', CGROUP2);
  files.seedFile('/sys/fs/cgroup/cgroup.controllers', 'cpuset cpu io memory pids\n');
  assert.equal(await probeCgroupLayout(files), 'unified');
});

test('the layout is hybrid when version 2 has no controllers', async () => {
  const { files } = new FakeHost();
  files.seedFile('/proc/self/mountinfo', HYBRID);
  files.seedFile('/sys/fs/cgroup/unified/cgroup.controllers', 'hugetlb\n');
  assert.equal(await probeCgroupLayout(files), 'hybrid');
});

test('mount points of version 2 are found, octal escapes undone', () => {
  assert.deepEqual(unifiedMounts(`${HYBRID}\n1 2 0:3 / /a\\040b rw master:1 - cgroup2 none rw`), [
    '/sys/fs/cgroup/unified',
    '/a b',
  ]);
});

test('a user is found by uid, and a damaged line is none', () => {
  const passwd = 'root:x:0:0:root:/root:/bin/sh\nbroken:x:7\nann:x:1000:1001:Ann:/home/ann:/bin/sh\n';
  assert.deepEqual(parsePasswd(passwd, 1000), { name: 'ann', gid: 1001 });
  assert.equal(parsePasswd(passwd, 7), null);
  assert.equal(parsePasswd(passwd, 1), null);
});

test('a user is asked for once a minute', async () => {
  const { files, clock } = new FakeHost();
  files.seedFile('/etc/passwd', 'ann:x:1000:1000::/:/bin/sh\n');
  const names = new UserNames(files, clock, []);
  assert.deepEqual(await names.find(1000), { name: 'ann', gid: 1000 });
  files.seedFile('/etc/passwd', 'bob:x:1000:1000::/:/bin/sh\n');
  assert.deepEqual(await names.find(1000), { name: 'ann', gid: 1000 });
  clock.advance(60_000);
  assert.deepEqual(await names.find(1000), { name: 'bob', gid: 1000 });
});

const SHEBANGS: readonly (readonly [line: string, interpreter: string | null])[] = [
  ['#!/bin/sh\n', '/bin/sh'],
  ['#! /bin/sh -e\n', '/bin/sh'],
  ['#!/usr/bin/env node\n', 'node'],
  ['#!/usr/bin/env -S node --no-warnings\n', 'node'],
  ['#!/usr/bin/env -Snode --no-warnings\n', 'node'],
  ['#!/usr/bin/env -i LANG=C python3\n', 'python3'],
  ['#!/usr/bin/env\n', null],
  ['#!node\n', null],
  ['#!\n', null],
  ['\x7fELF', null],
  ['', null],
];

test('the first line of a script names its interpreter', () => {
  for (const [line, interpreter] of SHEBANGS) {
    assert.equal(parseShebang(Buffer.from(line))?.interpreter ?? null, interpreter, JSON.stringify(line));
  }
});
