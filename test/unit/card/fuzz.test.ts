import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { stringify } from 'smol-toml';
import { ERRORS } from '../../../src/base/errors.ts';
import { valueAt } from '../../../src/base/pointer.ts';
import type { Result } from '../../../src/base/result.ts';
import type { Card } from '../../../src/card/card.gen.ts';
import { parseCard } from '../../../src/card/parse.ts';
import { CHECKOUT } from '../../helpers/checkout.ts';
import { makeValue, type Schema } from './made-card.ts';
import { mutateBytes, mutateValue } from './mutation.ts';
import { type Random, seededRandom } from './random.ts';
import { parse, problemLine } from './verdict.ts';

const schema = JSON.parse(readFileSync(join(CHECKOUT, 'schema/agent-card.schema.json'), 'utf8')) as Schema & {
  readonly definitions: Readonly<Record<string, Schema>>;
};

/** A validator made from the published schema here and now, independent of the generated one. */
const isValid = new Ajv({ strict: false }).compile(schema);

const PROTOTYPE = Object.getOwnPropertyNames(Object.prototype);

/** The rules that the schema says in words only. */
function contradictsItself(card: unknown): boolean {
  const high = valueAt(card, '/resource_limits/memory_high_mb');
  const most = valueAt(card, '/resource_limits/memory_mb') ?? 4096;
  const publish = (valueAt(card, '/network/publish') ?? []) as readonly { port: number; listen?: string }[];
  const addresses = publish.map(({ port, listen }) => listen ?? `127.0.0.1:${port}`);
  const bases = ((valueAt(card, '/credentials') ?? []) as readonly Credential[]).map(({ base_url: base }) => base);
  return (
    (typeof high === 'number' && typeof most === 'number' && high > most) ||
    new Set(addresses).size < addresses.length ||
    [valueAt(card, '/proxy'), ...bases].some((url) => typeof url === 'string' && !URL.canParse(url)) ||
    contradictsItsMode(card) ||
    contradictsItsKeys(card)
  );
}

/** One entry of `credentials`, as far as the rules about it go. */
interface Credential {
  readonly provider?: string;
  readonly api_key_file?: string;
  readonly base_url?: string;
  readonly header?: string;
  readonly username?: string;
  readonly variable?: string;
}

function contradictsItsKeys(card: unknown): boolean {
  const entries = (valueAt(card, '/credentials') ?? []) as readonly Credential[];
  const {
    agent,
    api_provider: provider = agent === 'codex' ? 'openai' : agent === 'gemini' ? 'google' : 'anthropic',
    api_key_file: short,
    api_key_delivery: delivery,
    budget,
  } = card as Readonly<Record<string, unknown>>;
  const isInEnvironment = delivery === 'env';
  const hasGateway = ['isolated', 'veth'].includes((valueAt(card, '/network/mode') ?? 'isolated') as string);
  const isKept = (entry: Credential): boolean => !isInEnvironment || entry.provider === 'git';
  const isKeyless = valueAt(card, '/api_provider') === 'ollama';
  const hasModel = short !== undefined || isKeyless || entries.some((entry) => entry.provider !== 'git');
  return (
    entries.some((entry) => isWrong(entry, isKept(entry))) ||
    (short !== undefined && (provider === 'custom' || entries.some((entry) => entry.provider === provider))) ||
    (!hasGateway && (entries.some(isKept) || (short !== undefined && !isInEnvironment))) ||
    (budget !== undefined && !(hasModel && hasGateway && !isInEnvironment))
  );
}

function isWrong(entry: Credential, isKept: boolean): boolean {
  const { provider, api_key_file: key, base_url: base, header, username, variable } = entry;
  const isOptional = provider === 'ollama' || provider === 'custom';
  return (
    (key === undefined && (!isOptional || header !== undefined || variable !== undefined)) ||
    (base === undefined && (provider === 'custom' || provider === 'git')) ||
    (header !== undefined && (provider === 'git' || !isKept)) ||
    (provider !== 'git' && username !== undefined) ||
    (variable !== undefined && isKept) ||
    (provider === 'custom' && !isKept && key !== undefined && variable === undefined)
  );
}

function contradictsItsMode(card: unknown): boolean {
  const mode = valueAt(card, '/network/mode') ?? 'isolated';
  const entries = (pointer: string): number => ((valueAt(card, pointer) ?? []) as readonly unknown[]).length;
  const isGiven = (pointer: string): boolean => valueAt(card, pointer) !== undefined;
  const publishes = entries('/network/publish') > 0 || isGiven('/a2a_port');
  const enforces =
    isGiven('/allowed_hosts') ||
    entries('/denied_hosts') > 0 ||
    isGiven('/network/max_bytes') ||
    isGiven('/network/requests_per_minute');
  return (
    (mode !== 'veth' && entries('/network/allow') > 0) ||
    (publishes && mode === 'host') ||
    (enforces && mode === 'host') ||
    (isGiven('/proxy_credentials_file') && !isGiven('/proxy'))
  );
}

/** Most cards have no credentials: the rules about those refuse most of what chance makes. */
function makeCard(random: Random): unknown {
  const card = makeValue(random, schema, schema.definitions) as Readonly<Record<string, unknown>>;
  if (random.once(5)) return card;
  const { credentials: _credentials, budget: _budget, ...rest } = card;
  return rest;
}

/** What holds for every verdict, whatever the card. */
function expectSound(result: Result<Card>, source: string): void {
  if (result.ok) return;
  assert.ok(result.problems.length > 0, source);
  for (const problem of result.problems) {
    assert.ok(Object.hasOwn(ERRORS, problem.code), source);
    assert.match(problem.pointer, /^(?:\/(?:[^~/]|~[01])*)*$/u, source);
    assert.match(problem.message, /^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]{10,500}\.$/u, source);
  }
  const lines = result.problems.map(({ code, pointer }) => `${code} ${pointer}`);
  assert.equal(new Set(lines).size, lines.length, `the same problem twice: ${source}`);
}

function linesOf(result: Result<Card>): readonly string[] {
  return result.ok ? [] : result.problems.map(problemLine);
}

test('cards made from the schema are accepted as they are, in JSON and in TOML', () => {
  const random = seededRandom(1);
  let accepted = 0;
  for (let round = 0; round < 1200; round += 1) {
    const card = makeCard(random);
    assert.equal(isValid(card), true, JSON.stringify([card, isValid.errors]));
    for (const [text, format] of [
      [JSON.stringify(card), 'json'],
      [stringify(card), 'toml'],
    ] as const) {
      const result = parse(text, format);
      expectSound(result, text);
      if (result.ok) {
        accepted += 1;
        assert.deepEqual(result.value, card);
      } else {
        assert.ok(contradictsItself(card), JSON.stringify([card, linesOf(result)]));
        assert.ok(result.problems.every(({ code }) => code === 'card.conflict' || code === 'card.missing-key'));
      }
    }
  }
  assert.ok(accepted > 800, `only ${accepted} of 2400 were accepted`);
});

test('a card with changed values is accepted when the schema and the rules in words accept it, and never else', () => {
  const random = seededRandom(2);
  let valid = 0;
  let invalid = 0;
  for (let round = 0; round < 4500; round += 1) {
    const text = JSON.stringify(mutateValue(random, makeCard(random)));
    const card: unknown = JSON.parse(text);
    const expected = isValid(card) && !contradictsItself(card);
    const result = parse(text);
    expectSound(result, text);
    assert.equal(result.ok, expected, JSON.stringify([text, isValid.errors, linesOf(result)]));
    if (result.ok) assert.deepEqual(result.value, card);
    if (expected) valid += 1;
    else invalid += 1;
  }
  assert.ok(valid > 150 && invalid > 1500, `${valid} valid and ${invalid} invalid ones`);
});

/** What the language's own reader makes of bytes: a value, or undefined. */
function readByLanguage(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

test('a JSON card with changed bytes is read as the language reads it, or refused with a reason', () => {
  const random = seededRandom(3);
  const counts = { syntax: 0, accepted: 0, other: 0 };
  for (let round = 0; round < 4000; round += 1) {
    const bytes = mutateBytes(
      random,
      new TextEncoder().encode(JSON.stringify(makeCard(random), null, random.below(2))),
    );
    const source = Buffer.from(bytes).toString('latin1');
    const result = parseCard(bytes, { format: 'json' });
    expectSound(result, source);
    const value = readByLanguage(bytes);
    const isSyntax = !result.ok && result.problems.some(({ code }) => code === 'card.syntax');
    assert.equal(isSyntax, value === undefined, JSON.stringify([source, linesOf(result)]));
    if (result.ok) assert.deepEqual(result.value, value);
    if (result.ok) assert.equal(isValid(value), true);
    counts[isSyntax ? 'syntax' : result.ok ? 'accepted' : 'other'] += 1;
  }
  assert.ok(counts.syntax > 1500 && counts.accepted > 150 && counts.other > 150, JSON.stringify(counts));
});

test('a TOML card with changed bytes never breaks the reader, and is accepted only when the schema accepts it', () => {
  const random = seededRandom(4);
  let accepted = 0;
  for (let round = 0; round < 2000; round += 1) {
    const bytes = mutateBytes(random, new TextEncoder().encode(stringify(makeCard(random))));
    const result = parseCard(bytes, { format: 'toml' });
    expectSound(result, Buffer.from(bytes).toString('latin1'));
    if (!result.ok) continue;
    accepted += 1;
    assert.equal(isValid(result.value), true);
  }
  assert.ok(accepted > 100, `only ${accepted} were accepted`);
});

test('bytes of chance never break the reader', () => {
  const random = seededRandom(5);
  for (let round = 0; round < 2000; round += 1) {
    const bytes = Uint8Array.from({ length: random.below(60) }, () => random.below(256));
    for (const format of ['json', 'toml'] as const) {
      expectSound(parseCard(bytes, { format }), Buffer.from(bytes).toString('latin1'));
    }
  }
});

test('no card has changed what every object inherits', () => {
  assert.deepEqual(Object.getOwnPropertyNames(Object.prototype), PROTOTYPE);
  assert.deepEqual(Object.keys(Object.prototype), []);
});
