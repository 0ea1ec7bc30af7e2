import type { ErrorObject } from 'ajv';
import type { ErrorCode } from '../base/errors.ts';
import { CARD_PROBLEMS_MAX } from '../base/limits.ts';
import { ok, type Problem, type Result, refused } from '../base/result.ts';
import { explainErrors, type Vocabulary } from './explain.ts';
import { readJson } from './json.ts';
import type { CardFormat } from './reading.ts';
import { readToml } from './toml.ts';

/** Judges a value by a schema; every error found is left in `errors`. */
export interface Validator {
  (value: unknown): boolean;
  errors?: readonly ErrorObject[] | null;
}

/** A kind of document that people write: an agent card, the daemon's configuration. */
export interface DocumentKind {
  readonly words: Vocabulary;
  /** Largest file, bytes. */
  readonly bytesMax: number;
  /** What to do about a file that is larger. */
  readonly largeRemedy: string;
  readonly validate: Validator;
  /** What is wrong with a value beyond what the schema can say; asked about any value. */
  readonly contradictions: (value: unknown) => readonly Problem[];
  /** The code of every problem of this kind of document; null leaves each its own. */
  readonly code: ErrorCode | null;
}

/**
 * A document from the bytes of its file: valid, frozen all the way down, without any value that the file does not hold.
 * Otherwise every problem at once, the first {@link CARD_PROBLEMS_MAX} of them; only what stops the reading itself,
 * such as a syntax error, comes alone. One UTF-8 byte order mark at the start is skipped. `T` is the type that the kind's
 * schema describes.
 */
export function parseDocument<T>(bytes: Uint8Array, format: CardFormat, kind: DocumentKind): Result<T> {
  const result = judge(bytes, format, kind);
  const { code } = kind;
  if (!result.ok) return code === null ? result : refused(result.problems.map((problem) => ({ ...problem, code })));
  return ok(freeze(result.value as T));
}

function judge(bytes: Uint8Array, format: CardFormat, kind: DocumentKind): Result<unknown> {
  if (bytes.length > kind.bytesMax) return refused([tooLarge(bytes.length, kind)]);
  const text = decode(bytes);
  if (text === null) return refused([notUtf8(bytes, kind)]);
  const reading = format === 'json' ? readJson(text, kind.words) : readToml(text);
  if (reading.value === undefined) return refused(reading.problems);
  const { problems: reported, value } = reading;
  const found = [...schemaProblems(value, format, kind), ...kind.contradictions(value)].filter(
    (problem) => !reported.some(({ pointer }) => covers(pointer, problem.pointer)),
  );
  const problems = distinct([...reported, ...found], kind.code).slice(0, CARD_PROBLEMS_MAX);
  return problems.length === 0 ? ok(value) : refused(problems);
}

function schemaProblems(value: unknown, format: CardFormat, { validate, words }: DocumentKind): readonly Problem[] {
  if (validate(value)) return [];
  return explainErrors(validate.errors ?? [], { value, format, words }, CARD_PROBLEMS_MAX);
}

/** Whether a problem at one pointer already says what there is to say about another. */
function covers(reported: string, pointer: string): boolean {
  return pointer === reported || pointer.startsWith(`${reported}/`);
}

/** The first problem of each kind at each place: what the schema and the rules between keys both find is one. */
function distinct(problems: readonly Problem[], code: ErrorCode | null): readonly Problem[] {
  const first = new Map<string, Problem>();
  for (const problem of problems) {
    const key = `${code ?? problem.code} ${problem.pointer}`;
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

function tooLarge(size: number, { bytesMax, largeRemedy, words }: DocumentKind): Problem {
  return {
    code: 'card.too-large',
    pointer: '',
    message: `The ${words.noun} has ${size} bytes; ${bytesMax} are the most.`,
    suggestion: largeRemedy,
  };
}

function notUtf8(bytes: Uint8Array, { words }: DocumentKind): Problem {
  const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  return {
    code: 'card.syntax',
    pointer: '',
    message: `The ${words.noun} is not UTF-8 text${isUtf16 ? ', but looks like UTF-16' : ` (byte ${invalidAt(bytes)})`}.`,
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
