import { CARD_BYTES_MAX, CARD_PROBLEMS_MAX } from '../base/limits.ts';
import { ok, type Problem, type Result, refused } from '../base/result.ts';
import type { Card } from './card.gen.ts';
import { contradictions } from './consistency.ts';
import { readJson } from './json.ts';
import type { CardFormat } from './reading.ts';
import { readToml } from './toml.ts';
import { isCard, schemaProblems } from './validate.ts';

/**
 * A card from the bytes of its file: valid, frozen all the way down, without any value that the file does not hold.
 * Otherwise every problem at once, the first {@link CARD_PROBLEMS_MAX} of them; only what stops the reading itself,
 * such as a syntax error, comes alone. One UTF-8 byte order mark at the start is skipped.
 */
export function parseCard(bytes: Uint8Array, options: { readonly format: CardFormat }): Result<Card> {
  if (bytes.length > CARD_BYTES_MAX) return refused([tooLarge(bytes.length)]);
  const text = decode(bytes);
  if (text === null) return refused([notUtf8(bytes)]);
  const reading = options.format === 'json' ? readJson(text) : readToml(text);
  if (reading.value === undefined) return refused(reading.problems);
  const { problems: reported, value } = reading;
  const found = [...schemaProblems(value, options.format, CARD_PROBLEMS_MAX), ...contradictions(value)].filter(
    (problem) => !reported.some(({ pointer }) => covers(pointer, problem.pointer)),
  );
  const problems = distinct([...reported, ...found]).slice(0, CARD_PROBLEMS_MAX);
  return problems.length === 0 && isCard(value) ? ok(freeze(value)) : refused(problems);
}

/** Whether a problem at one pointer already says what there is to say about another. */
function covers(reported: string, pointer: string): boolean {
  return pointer === reported || pointer.startsWith(`${reported}/`);
}

/** The first problem of each kind at each place: what the schema and the rules between keys both find is one. */
function distinct(problems: readonly Problem[]): readonly Problem[] {
  const first = new Map<string, Problem>();
  for (const problem of problems) {
    const key = `${problem.code} ${problem.pointer}`;
    if (!first.has(key)) first.set(key, problem);
  }
  return [...first.values()];
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

function tooLarge(size: number): Problem {
  return {
    code: 'card.too-large',
    pointer: '',
    message: `The card has ${size} bytes; ${CARD_BYTES_MAX} are the most.`,
    suggestion: 'Put long texts in files of the workspace.',
  };
}

function notUtf8(bytes: Uint8Array): Problem {
  const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  return {
    code: 'card.syntax',
    pointer: '',
    message: `The card is not UTF-8 text${isUtf16 ? ', but looks like UTF-16' : ` (byte ${invalidAt(bytes)})`}.`,
    suggestion: 'Save it as UTF-8.',
  };
}

/**
 * Offset, from 0, of the first byte that does not belong to valid UTF-8. The longest start that could still go on as
 * UTF-8 is found by halving; a sequence that is cut off there counts as invalid from its first byte.
 */
function invalidAt(bytes: Uint8Array): number {
  let valid = 0;
  let invalid = bytes.length;
  while (invalid - valid > 1) {
    const middle = Math.floor((valid + invalid) / 2);
    if (decodedLength(bytes.subarray(0, middle)) === null) invalid = middle;
    else valid = middle;
  }
  return decodedLength(bytes.subarray(0, valid)) ?? 0;
}

/** Bytes of the complete characters at the start of a text that may be cut off; null when it is not UTF-8. */
function decodedLength(bytes: Uint8Array): number | null {
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return new TextEncoder().encode(decoder.decode(bytes, { stream: true })).length;
  } catch {
    return null;
  }
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) freeze(member);
    Object.freeze(value);
  }
  return value;
}
