import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CARD_PROBLEMS_MAX } from '../../../src/base/limits.ts';
import { cardWith, parse, problemLines } from './verdict.ts';

/** Keys that are added to the smallest card, and the problems of the result. */
type Case = readonly [Readonly<Record<string, unknown>>, ...(readonly string[])];

function expectProblems(cases: readonly Case[]): void {
  assert.deepEqual(
    cases.map(([keys]) => problemLines(cardWith(keys))),
    cases.map(([, ...lines]) => lines),
  );
}

test('a missing key is named with an example in the language of the card', () => {
  assert.deepEqual(problemLines({}), [
    'card.missing-key /agent_id: The card lacks the key "agent_id". [Add "agent_id": "dev-agent", for example.]',
    'card.missing-key /workspace: The card lacks the key "workspace". [Add "workspace": "/mnt/agents/dev", for example.]',
  ]);
  assert.deepEqual(problemLines('agent_id = "a"', 'toml'), [
    'card.missing-key /workspace: The card lacks the key "workspace". [Add workspace = "/mnt/agents/dev", for example.]',
  ]);
  expectProblems([
    [
      { network: { publish: [{ listen: '127.0.0.1:80' }] } },
      'card.missing-key /network/publish/0/port: "network.publish[0]" lacks the key "port". [Add "port": 8080, for example.]',
    ],
  ]);
});

test('an unknown key is named with the one that was meant', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['agentId', ' [Write "agent_id".]'],
    ['Agent-ID', ' [Write "agent_id".]'],
    ['worspace', ' [Write "workspace".]'],
    ['name', ' [Write "agent_id".]'],
    ['env', ' [Write "environment".]'],
    ['timeout', ' [Write "ttl_seconds".]'],
    ['desc', ' [Write "description".]'],
    ['memory_mb', ' [It belongs inside "resource_limits".]'],
    ['mem_limit', ' ["memory_mb" belongs inside "resource_limits".]'],
    ['ports', ' ["publish" belongs inside "network".]'],
    ['read_only', ' [It belongs inside "filesystem".]'],
    ['api_key', ' [A card holds no secrets: put the key in a file and name it in "api_key_file".]'],
    ['ANTHROPIC_API_KEY', ' [A card holds no secrets: put the key in a file and name it in "api_key_file".]'],
    ['privileged', ''],
    ['uid', ''],
    ['x'.repeat(100), ''],
    ['', ''],
  ];
  expectProblems(
    cases.map(([key, suggestion]) => {
      const shown = key.length > 60 ? `${key.slice(0, 59)}…` : key;
      return [{ [key]: 1 }, `card.unknown-key /${key}: The card has no key "${shown}".${suggestion}`];
    }),
  );
  expectProblems([
    [
      { resource_limits: { memroy_mb: 1, memory: 2, agent_id: 'x', pids_limit: 5 } },
      'card.unknown-key /resource_limits/memroy_mb: "resource_limits" has no key "memroy_mb". [Write "memory_mb".]',
      'card.unknown-key /resource_limits/memory: "resource_limits" has no key "memory". [Write "memory_mb".]',
      'card.unknown-key /resource_limits/agent_id: "resource_limits" has no key "agent_id". [It belongs at the top of the card.]',
      'card.unknown-key /resource_limits/pids_limit: "resource_limits" has no key "pids_limit". [Write "max_processes".]',
    ],
    [{ 'a/b~c\u202e': 1 }, 'card.unknown-key /a~1b~0c\u202e: The card has no key "a/b~c\\u202e".'],
  ]);
});

test('keys that programs have a meaning for are refused at every level', () => {
  const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__', 'valueOf'];
  const places: readonly (readonly [string, (member: string) => string])[] = [
    ['', (member) => `{"agent_id":"a","workspace":"/a",${member}}`],
    ['/environment', (member) => `{"agent_id":"a","workspace":"/a","environment":{${member}}}`],
    ['/labels', (member) => `{"agent_id":"a","workspace":"/a","labels":{${member}}}`],
    ['/resource_limits', (member) => `{"agent_id":"a","workspace":"/a","resource_limits":{${member}}}`],
    [
      '/network/publish/0',
      (member) => `{"agent_id":"a","workspace":"/a","network":{"publish":[{"port":8080,${member}}]}}`,
    ],
  ];
  for (const name of names) {
    for (const [parent, render] of places) {
      const line = `card.forbidden-key ${parent}/${name}: The key "${name}" is refused everywhere in a card: programs have a meaning of their own for it. [Choose another name.]`;
      assert.deepEqual(problemLines(render(`"${name}": {"polluted": "yes"}`)), [line]);
      assert.deepEqual(
        problemLines(render(`"\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}": "x"`)),
        [line],
      );
    }
    const toml = `agent_id = "a"\nworkspace = "/a"\n[environment]\n${name} = "x"`;
    assert.deepEqual(
      problemLines(toml, 'toml').map((line) => line.split(':')[0]),
      [`card.forbidden-key /environment/${name}`],
    );
  }
  assert.equal('polluted' in {}, false);
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
});

test('something else than a whole number is told with the number that was meant', () => {
  expectProblems([
    [
      { resource_limits: { memory_mb: '4g' } },
      'card.wrong-type /resource_limits/memory_mb: "resource_limits.memory_mb" must be a whole number, but is the text "4g". [Write 4096: the key counts MiB.]',
    ],
    [
      { resource_limits: { max_processes: '50' } },
      'card.wrong-type /resource_limits/max_processes: "resource_limits.max_processes" must be a whole number, but is the text "50". [Write 50, without quotes.]',
    ],
    [
      { resource_limits: { cpu_percent: '50%' } },
      'card.wrong-type /resource_limits/cpu_percent: "resource_limits.cpu_percent" must be a whole number, but is the text "50%". [Write 50: the key counts percent of one core.]',
    ],
    [
      { resource_limits: { cpu_percent: 12.5 } },
      'card.wrong-type /resource_limits/cpu_percent: "resource_limits.cpu_percent" must be a whole number, but is the number 12.5. [Write 13: the key counts percent of one core.]',
    ],
    [
      { resource_limits: { memory_mb: '1k' } },
      'card.wrong-type /resource_limits/memory_mb: "resource_limits.memory_mb" must be a whole number, but is the text "1k".',
    ],
    [
      { resource_limits: [] },
      'card.wrong-type /resource_limits: "resource_limits" must be an object, but is a list. [Write { "memory_mb": 2048, "cpu_percent": 150, "max_processes": 100 }, for example.]',
    ],
    [
      { ttl_seconds: '2h' },
      'card.wrong-type /ttl_seconds: "ttl_seconds" must be a whole number, but is the text "2h". [Write 7200: the key counts seconds.]',
    ],
    [
      { ttl_seconds: null, labels: null },
      'card.wrong-type /labels: "labels" must be an object, but is null. [Leave the key out if it is not needed.]',
      'card.wrong-type /ttl_seconds: "ttl_seconds" must be a whole number, but is null. [Leave the key out if it is not needed.]',
    ],
    [{ ttl_seconds: true }, 'card.wrong-type /ttl_seconds: "ttl_seconds" must be a whole number, but is true.'],
  ]);
});

test('a value of the wrong type is told with what was meant', () => {
  expectProblems([
    [
      { command: 'make test' },
      'card.wrong-type /command: "command" must be a list, but is the text "make test". [Write ["make", "test"].]',
    ],
    [
      { command: 'make test && rm -rf x' },
      'card.wrong-type /command: "command" must be a list, but is the text "make test && rm -rf x". [Write ["bash", "-c", "make test && rm -rf x"].]',
    ],
    [
      { command: {} },
      'card.wrong-type /command: "command" must be a list, but is an object. [Write ["python3", "agent.py"], for example.]',
    ],
    [
      { command: ['nice', 5] },
      'card.wrong-type /command/1: "command[1]" must be a text, but is the number 5. [Write "5", in quotes.]',
    ],
    [
      { allowed_hosts: 'api.openai.com' },
      'card.wrong-type /allowed_hosts: "allowed_hosts" must be a list, but is the text "api.openai.com". [Write ["api.openai.com"].]',
    ],
    [
      { allowed_hosts: [1] },
      'card.wrong-type /allowed_hosts/0: "allowed_hosts[0]" must be a text or an object, but is the number 1. [Write "api.anthropic.com", for example.]',
    ],
    [
      { allowed_hosts: [{ port: 443 }] },
      'card.missing-key /allowed_hosts/0/host: "allowed_hosts[0]" lacks the key "host". [Add "host": "packages.example.org", for example.]',
      'card.unknown-key /allowed_hosts/0/port: "allowed_hosts[0]" has no key "port". [Write "ports".]',
    ],
    [
      { environment: { PORT: 8080, DEBUG: true, X: null } },
      'card.wrong-type /environment/PORT: "environment.PORT" must be a text, but is the number 8080. [Write "8080", in quotes.]',
      'card.wrong-type /environment/DEBUG: "environment.DEBUG" must be a text, but is true. [Write "true", in quotes.]',
      'card.wrong-type /environment/X: "environment.X" must be a text, but is null. [Leave the key out if it is not needed.]',
    ],
    [
      { autostart: 'yes' },
      'card.wrong-type /autostart: "autostart" must be true or false, but is the text "yes". [Write true.]',
    ],
    [
      { autostart: 0 },
      'card.wrong-type /autostart: "autostart" must be true or false, but is the number 0. [Write false.]',
    ],
    [{ autostart: {} }, 'card.wrong-type /autostart: "autostart" must be true or false, but is an object.'],
    [{ agent: 7 }, 'card.wrong-type /agent: "agent" must be a text, but is the number 7. [Write "7", in quotes.]'],
  ]);
  assert.deepEqual(
    ['null', '[]', '"x"', '5'].map((text) => problemLines(text)),
    ['null', 'a list', 'the text "x"', 'the number 5'].map((kind) => [
      `card.wrong-type : The card must be an object, but is ${kind}.`,
    ]),
  );
});

test('a number outside its bounds is told with them', () => {
  expectProblems([
    [
      {
        resource_limits: {
          memory_mb: 4,
          max_processes: 0,
          cpu_shares: 1,
          io_weight: 10_001,
          max_open_files: 2_000_000,
        },
      },
      'card.out-of-range /resource_limits/memory_mb: "resource_limits.memory_mb" is 4, but must be from 16 to 16777216.',
      'card.out-of-range /resource_limits/cpu_shares: "resource_limits.cpu_shares" is 1, but must be from 2 to 262144.',
      'card.out-of-range /resource_limits/io_weight: "resource_limits.io_weight" is 10001, but must be from 1 to 10000.',
      'card.out-of-range /resource_limits/max_processes: "resource_limits.max_processes" is 0, but must be from 1 to 4194304.',
      'card.out-of-range /resource_limits/max_open_files: "resource_limits.max_open_files" is 2000000, but must be from 16 to 1048576.',
    ],
    [
      { resource_limits: { memory_mb: 4_294_967_296 } },
      'card.out-of-range /resource_limits/memory_mb: "resource_limits.memory_mb" is 4294967296, but must be from 16 to 16777216. [Write 4096: the key counts MiB.]',
    ],
    [{ ttl_seconds: -1 }, 'card.out-of-range /ttl_seconds: "ttl_seconds" is -1, but must be from 0 to 31536000.'],
    [
      { stop_timeout_seconds: 0 },
      'card.out-of-range /stop_timeout_seconds: "stop_timeout_seconds" is 0, but must be from 1 to 3600.',
    ],
    [{ a2a_port: 80 }, 'card.out-of-range /a2a_port: "a2a_port" is 80, but must be from 1024 to 65535.'],
    [{ a2a_port: 65_536 }, 'card.out-of-range /a2a_port: "a2a_port" is 65536, but must be from 1024 to 65535.'],
  ]);
});

test('a text, list or map that is too long or empty is told with its bound', () => {
  expectProblems([
    [{ agent_id: 'a'.repeat(49) }, 'card.out-of-range /agent_id: "agent_id" has 49 characters; 48 are the most.'],
    [
      { description: 'ü\u{10000}'.repeat(129) },
      'card.out-of-range /description: "description" has 258 characters; 256 are the most.',
    ],
    [{ command: [] }, 'card.out-of-range /command: "command" has 0 entries; at least 1 must be there.'],
    [
      { filesystem: { read_only: Array.from({ length: 257 }, () => '/srv/x') } },
      'card.out-of-range /filesystem/read_only: "filesystem.read_only" has 257 entries; 256 are the most.',
    ],
    [
      { labels: Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`l${index}`, ''])) },
      'card.out-of-range /labels: "labels" has 65 entries; 64 are the most.',
    ],
    [
      { environment: { ['A'.repeat(129)]: '' } },
      `card.out-of-range /environment/${'A'.repeat(129)}: The name "${'A'.repeat(59)}…" in "environment" is longer than 128 characters.`,
    ],
  ]);
});

test('a value that is none of the allowed ones is told with the nearest', () => {
  expectProblems([
    [
      { network: { mode: 'isolate' } },
      'card.not-allowed /network/mode: "network.mode" is "isolate", but must be "isolated", "none", "veth" or "host". [Write "isolated".]',
    ],
    [
      { agent: 'Claude' },
      'card.not-allowed /agent: "agent" is "Claude", but must be "opencode", "claude-code", "codex", "gemini" or "shell". [Write "claude-code".]',
    ],
    [
      { api_provider: 'gemini' },
      'card.not-allowed /api_provider: "api_provider" is "gemini", but must be "anthropic", "openai", "google", "ollama" or "custom".',
    ],
    [
      { restart: 'on_failure' },
      'card.not-allowed /restart: "restart" is "on_failure", but must be "no", "on-failure" or "always". [Write "on-failure".]',
    ],
  ]);
});

test('every problem of a card is told at once, in one order', () => {
  const lines = problemLines(
    '{"agent_id":"Dev","workspace":"/etc","ttl":5,"ttl_seconds":1e999,"autostart":"on","environment":{"NO_PROXY":"*","__proto__":"x"},"autostart":true,"resource_limits":{"memory_mb":1024,"memory_high_mb":2048}}',
  );
  assert.deepEqual(
    lines.map((line) => line.split(':')[0]),
    [
      'card.out-of-range /ttl_seconds',
      'card.forbidden-key /environment/__proto__',
      'card.duplicate-key /autostart',
      'card.unknown-key /ttl',
      'card.bad-format /agent_id',
      'card.bad-path /workspace',
      'card.bad-environment /environment/NO_PROXY',
      'card.conflict /resource_limits/memory_high_mb',
    ],
  );
});

test('a card with thousands of problems is told the first of them', () => {
  const keys = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`key${index}`, 1]));
  const unknown = problemLines(cardWith(keys));
  assert.equal(unknown.length, CARD_PROBLEMS_MAX);
  assert.equal(unknown.at(0), 'card.unknown-key /key0: The card has no key "key0".');
  const duplicates = `{${Array.from({ length: 5000 }, (_, index) => `"k${index}":1,"k${index}":2`).join(',')}}`;
  assert.equal(problemLines(duplicates).length, CARD_PROBLEMS_MAX);
});

test('a problem is one sentence on one line, whatever the card holds', () => {
  const nasty = 'a\n\u001b[31m\u202e"b\\\u2028';
  const cards: readonly Readonly<Record<string, unknown>>[] = [
    { [nasty]: 1 },
    { agent_id: nasty, workspace: nasty, agent: nasty, api_key_file: nasty, proxy: nasty, description: nasty },
    { environment: { [nasty]: 1 }, labels: { [nasty]: 1 }, allowed_hosts: [nasty], command: [nasty, 1] },
    { network: { mode: nasty, publish: [{ port: nasty, listen: nasty, [nasty]: 1 }] }, autostart: nasty },
    { ttl_seconds: nasty, resource_limits: { [nasty]: nasty, memory_mb: nasty } },
  ];
  let count = 0;
  for (const keys of cards) {
    const result = parse(cardWith(keys));
    assert.ok(!result.ok);
    for (const { message, suggestion = 'None.' } of result.problems) {
      count += 1;
      assert.match(message, /^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]{10,400}\.$/);
      assert.match(suggestion, /^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]{4,300}\.$/);
    }
  }
  assert.ok(count >= 20);
});
