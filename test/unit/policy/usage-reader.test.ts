import assert from 'node:assert/strict';
import { test } from 'node:test';
import { USAGE_TOKENS_MAX } from '../../../src/base/limits.ts';
import type { ProviderName } from '../../../src/policy/provider.ts';
import { type TokenUsage, usageReader } from '../../../src/policy/usage-reader.ts';
import { type Random, seededRandom } from '../card/random.ts';
import { piecesOf } from './corpus.ts';
import { SAMPLES } from './usage-answers.ts';
import { cutAtChance, mutateHttp } from './wire-mutation.ts';

const EVENTS = 'text/event-stream';
const JSON_TYPE = 'application/json';

/** What a body states, in these pieces. */
function read(provider: ProviderName, contentType: string | null, pieces: readonly Uint8Array[]): TokenUsage | null {
  const reader = usageReader(provider, contentType);
  for (const piece of pieces) reader.add(piece);
  return reader.end();
}

function readText(text: string, provider: ProviderName = 'custom', contentType: string = JSON_TYPE): TokenUsage | null {
  return read(provider, contentType, [Buffer.from(text)]);
}

function usage(inputTokens: number, outputTokens: number): TokenUsage {
  return { inputTokens, outputTokens };
}

for (const [name, { provider, contentType, body, tokens }] of Object.entries(SAMPLES)) {
  test(`${name} states its tokens, however it is cut`, () => {
    const expected = tokens === null ? null : usage(...tokens);
    const bytes = Buffer.from(body);
    for (const size of [1, 2, 3, 11, bytes.length])
      assert.deepEqual(read(provider, contentType, piecesOf(bytes, size)), expected, `${size} bytes at once`);
  });
}

test('events are read as browsers do: any line ends, no space, data in several lines, comments, a byte order mark', () => {
  const lines = [
    '\ufeffid: 1',
    ': {"usage":',
    'data:{"usage":',
    'data: {"prompt_tokens":5,',
    'data:"completion_tokens":6}}',
    '',
    '',
  ];
  for (const end of ['\n', '\r\n', '\r']) {
    const bytes = Buffer.from(lines.join(end));
    for (const size of [1, 2, bytes.length])
      assert.deepEqual(read('openai', EVENTS, piecesOf(bytes, size)), usage(5, 6));
  }
});

test('a stream goes on after an event that is no JSON', () => {
  const good = 'data: {"usage":{"prompt_tokens":5,"completion_tokens":6}}\n\n';
  for (const bad of [
    'data: }]}\n\n',
    'data: {"a":[1,\n\n',
    'data: "x\n\n',
    'data: [DONE]\n\n',
    'data\n\n',
    'datum: {\n\n',
    'data: {"usage":{\n\n',
  ])
    assert.deepEqual(read('openai', EVENTS, [Buffer.from(bad + good)]), usage(5, 6), bad);
});

test('numbers that are no counts state nothing', () => {
  for (const number of [
    '-5',
    '5.5',
    '5e3',
    '5E0',
    '"5"',
    'null',
    'true',
    '[5]',
    '{"x":5}',
    '99999999999999999',
    `${USAGE_TOKENS_MAX + 1}`,
    '',
  ])
    assert.equal(readText(`{"usage":{"prompt_tokens":${number},"completion_tokens":${number}}}`), null, number);
  for (const number of ['0', '5', ' 5\n', `${USAGE_TOKENS_MAX}`]) {
    const count = Number(number);
    assert.deepEqual(readText(`{"usage":{"prompt_tokens":${number},"completion_tokens":1}}`), usage(count, 1), number);
  }
});

test('counts state nothing in any other place than their own', () => {
  const counts = '"usage":{"prompt_tokens":5,"completion_tokens":6,"input_tokens":5,"output_tokens":6}';
  for (const text of [
    `{"choices":[{${counts}}]}`,
    `{"message":{"content":{${counts}}}}`,
    `{"content":"{${counts.replaceAll('"', '\\"')}}"}`,
    `{"usage":[{"prompt_tokens":5}]}`,
    `[[{${counts}}]]`,
    `{"a":{${counts}}}`,
    `{"usage.prompt_tokens":5,"usage":{"prompt_tokens.x":5}}`,
    `"${counts}"`,
  ])
    assert.equal(readText(text), null, text);
  assert.deepEqual(readText(`[{},{${counts}}]`), usage(5, 6));
  assert.deepEqual(readText(`{"a":[[[{"b":"}]"}]]],${counts}}`), usage(5, 6));
  assert.deepEqual(readText('{"us\\u0061ge":{"prompt_tokens":5,"completion_tokens":6}}'), usage(5, 6));
});

test('git states no tokens, whatever it sends', () => {
  assert.equal(readText('{"usage":{"prompt_tokens":5,"output_tokens":6}}', 'git'), null);
});

test('an answer of any size and depth takes no more memory than a small one', () => {
  const deep = `{"a":${'[{"usage":'.repeat(200_000)}1${'}]'.repeat(200_000)},"usage":{"prompt_tokens":5,"completion_tokens":6}}`;
  assert.deepEqual(readText(deep), usage(5, 6));
  const piece = Buffer.alloc(1024 * 1024, 'a');
  for (const [contentType, begin] of [
    [EVENTS, 'data: {"text":"'],
    [EVENTS, 'data'],
    [JSON_TYPE, '{"'],
    [JSON_TYPE, '{"a":1'],
    [JSON_TYPE, '[[[{"a":'],
  ] as const) {
    const reader = usageReader('custom', contentType);
    reader.add(Buffer.from(begin));
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
    for (let count = 0; count < 24; count += 1) reader.add(piece);
    const grown = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed - before;
    assert.ok(grown < 16 * 1024 * 1024, `${begin}: ${grown} bytes more`);
    reader.end();
  }
});

/** A JSON value with counts in some of the right and many of the wrong places. */
function makeValue(random: Random, depth: number): unknown {
  if (depth === 0 || random.once(4))
    return random.pick<unknown>([random.below(1000), -1, 1.5, null, 'x"}\\', '', false]);
  if (random.once(4)) return Array.from({ length: random.below(4) }, () => makeValue(random, depth - 1));
  const names = [
    'usage',
    'message',
    'response',
    'usageMetadata',
    'prompt_tokens',
    'completion_tokens',
    'output_tokens',
    'a"b',
    '',
  ];
  const members = Array.from({ length: random.below(5) }, () => [
    names[random.below(names.length)],
    makeValue(random, depth - 1),
  ]);
  return Object.fromEntries(members) as unknown;
}

/** Counts of a chat, of which each may be missing or something else. */
function makeCounts(random: Random): unknown {
  const counts = ['prompt_tokens', 'completion_tokens'].filter(() => !random.once(4));
  return {
    ...(makeValue(random, 2) as object),
    ...Object.fromEntries(counts.map((name) => [name, makeValue(random, 0)])),
  };
}

/** The same by JSON.parse: counts of chats and messages. */
function reference(text: string): TokenUsage | null {
  const at = (value: unknown, ...path: readonly string[]): number | null => {
    const [name, ...rest] = path;
    if (name === undefined) return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : null;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    return at((value as Readonly<Record<string, unknown>>)[name], ...rest);
  };
  const top: unknown = JSON.parse(text);
  const values: readonly unknown[] = Array.isArray(top) ? top : [top];
  const most = (...path: readonly string[]): number | null => {
    const found = values.flatMap((value) => at(value, ...path) ?? []);
    return found.length === 0 ? null : Math.max(...found);
  };
  const [prompt, completion] = [most('usage', 'prompt_tokens'), most('usage', 'completion_tokens')];
  return prompt === null && completion === null ? null : usage(prompt ?? 0, completion ?? 0);
}

test('random JSON states what JSON.parse finds in it', () => {
  let stated = 0;
  for (let seed = 0; seed < 10_000; seed += 1) {
    const random = seededRandom(seed);
    const value = { ...(makeValue(random, 5) as object), ...(random.once(2) ? { usage: makeCounts(random) } : {}) };
    const text = JSON.stringify(random.once(5) ? [value, makeValue(random, 3)] : value, null, random.below(3));
    const expected = reference(text);
    const reader = usageReader('openai', JSON_TYPE);
    for (const piece of cutAtChance(random, Buffer.from(text))) reader.add(piece);
    const found = reader.end();
    // What messages and responses state is looked at elsewhere.
    if (text.includes('output_tokens')) continue;
    assert.deepEqual(found, expected, `seed ${seed}: ${text}`);
    if (expected !== null) stated += 1;
  }
  assert.ok(stated > 800, String(stated));
});

test('a damaged answer states counts that are counts, the same however it is cut, or nothing', () => {
  const samples = Object.values(SAMPLES);
  const counts = { none: 0, some: 0 };
  for (let seed = 0; seed < 3000; seed += 1) {
    const random = seededRandom(seed);
    const sample = samples[random.below(samples.length)];
    if (sample === undefined) continue;
    const bytes = mutateHttp(random, Buffer.from(sample.body));
    const whole = read(sample.provider, sample.contentType, [bytes]);
    assert.deepEqual(read(sample.provider, sample.contentType, cutAtChance(random, bytes)), whole, `seed ${seed}`);
    counts[whole === null ? 'none' : 'some'] += 1;
    if (whole === null) continue;
    for (const count of Object.values(whole)) assert.ok(Number.isSafeInteger(count) && count >= 0, `seed ${seed}`);
  }
  assert.ok(Math.min(counts.none, counts.some) > 250, JSON.stringify(counts));
});
