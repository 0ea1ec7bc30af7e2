import { CARD_DEPTH_MAX, CARD_PROBLEMS_MAX } from '../base/limits.ts';
import { pointerTo } from '../base/pointer.ts';
import { quote } from '../base/quote.ts';
import type { Problem } from '../base/result.ts';
import { describePlace, misplaced, noNumber, type Syntax, unclosed } from './json-syntax.ts';
import { forbiddenKey, isForbiddenKey, notFinite, type Reading, tooDeep } from './reading.ts';
import type { Subject } from './subject.ts';

/** An object or a list that is still open. */
interface Frame {
  readonly container: Record<string, unknown> | unknown[];
  readonly pointer: string;
  /** Where its bracket stands. */
  readonly offset: number;
  /** Key of the member being read; undefined in lists. */
  key: string | undefined;
  /** Offsets of the keys seen. */
  readonly keys: Map<string, number>;
}

/** What may come next; `first-…` also lets the bracket close at once. */
type Expected = 'value' | 'first-value' | 'key' | 'first-key' | 'colon' | 'separator';

/** The reader's place in the text and all it found so far. */
interface Reader {
  readonly text: string;
  readonly subject: Subject;
  offset: number;
  expected: Expected;
  readonly frames: Frame[];
  root: unknown;
  readonly problems: Problem[];
}

/** What stops the reading for good. */
type Fatal = Problem | null;

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const LITERALS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/**
 * Reads JSON (RFC 8259) strictly: unlike JSON.parse it reports keys that occur twice, bounds the depth, works without
 * recursion, tells line and column, and never makes an inherited property. Time is linear in the length of the text.
 */
export function readJson(text: string, subject: Subject): Reading {
  const reader: Reader = { text, subject, offset: 0, expected: 'value', frames: [], root: undefined, problems: [] };
  for (;;) {
    skipSpace(reader);
    if (reader.offset === text.length && reader.expected === 'separator' && reader.frames.length === 0) {
      return { value: reader.root, problems: reader.problems };
    }
    const fatal = reader.offset === text.length ? atEnd(reader) : readToken(reader);
    if (fatal !== null) return { value: undefined, problems: [fatal] };
  }
}

function skipSpace(reader: Reader): void {
  while (' \t\n\r'.includes(reader.text[reader.offset] ?? 'x')) reader.offset += 1;
}

function atEnd(reader: Reader): Problem {
  const frame = reader.frames.at(-1);
  return unclosed(reader, frame?.offset);
}

function readToken(reader: Reader): Fatal {
  const character = reader.text[reader.offset] ?? '';
  switch (reader.expected) {
    case 'colon':
      return character === ':' ? advance(reader, 'value') : wrong(reader);
    case 'separator':
      return readSeparator(reader, character);
    case 'key':
    case 'first-key':
      if (character === '}' && reader.expected === 'first-key') return close(reader);
      return character === '"' ? readKey(reader) : wrong(reader);
    default:
      if (character === ']' && reader.expected === 'first-value') return close(reader);
      return readValue(reader, character);
  }
}

function advance(reader: Reader, expected: Expected): null {
  reader.offset += 1;
  reader.expected = expected;
  return null;
}

function readSeparator(reader: Reader, character: string): Fatal {
  const frame = reader.frames.at(-1);
  if (frame === undefined) return wrong(reader);
  const isList = Array.isArray(frame.container);
  if (character === ',') return advance(reader, isList ? 'value' : 'key');
  return character === (isList ? ']' : '}') ? close(reader) : wrong(reader);
}

function close(reader: Reader): null {
  const frame = reader.frames.pop();
  reader.offset += 1;
  if (frame !== undefined) place(reader, frame.container);
  return null;
}

function readKey(reader: Reader): Fatal {
  const { offset } = reader;
  const key = readText(reader);
  if (typeof key !== 'string') return key;
  const frame = reader.frames.at(-1);
  if (frame === undefined) return wrong(reader);
  const before = frame.keys.get(key);
  if (before === undefined) frame.keys.set(key, offset);
  else if (before >= 0) {
    frame.keys.set(key, -1);
    note(reader, () => duplicate(reader.text, pointerTo(frame.pointer, key), key, [before, offset]));
  }
  if (before === undefined && isForbiddenKey(key)) note(reader, () => forbiddenKey(frame.pointer, key, reader.subject));
  frame.key = key;
  reader.expected = 'colon';
  return null;
}

/** Keeps a problem unless there are enough: finding the line of each costs time that grows with the text. */
function note(reader: Reader, find: () => Problem): void {
  if (reader.problems.length < CARD_PROBLEMS_MAX) reader.problems.push(find());
}

function duplicate(text: string, pointer: string, key: string, [first, second]: readonly [number, number]): Problem {
  return {
    code: 'card.duplicate-key',
    pointer,
    message: `The key ${quote(key)} occurs twice: at ${describePlace(text, first)} and at ${describePlace(text, second)}.`,
    suggestion: 'Keep one of them.',
  };
}

function readValue(reader: Reader, character: string): Fatal {
  if (character === '{' || character === '[') return open(reader, character);
  if (character === '"') {
    const value = readText(reader);
    if (typeof value !== 'string') return value;
    place(reader, value);
    return null;
  }
  return character === '-' || (character >= '0' && character <= '9') ? readNumber(reader) : readLiteral(reader);
}

function open(reader: Reader, character: '{' | '['): Fatal {
  const pointer = pointerOf(reader);
  if (reader.frames.length === CARD_DEPTH_MAX) {
    return tooDeep(pointer, ` at ${describePlace(reader.text, reader.offset)}`, reader.subject);
  }
  const container = character === '{' ? {} : [];
  reader.frames.push({ container, pointer, offset: reader.offset, key: undefined, keys: new Map() });
  return advance(reader, character === '{' ? 'first-key' : 'first-value');
}

/** Pointer of the value that comes next. */
function pointerOf(reader: Reader): string {
  const frame = reader.frames.at(-1);
  if (frame === undefined) return '';
  return pointerTo(frame.pointer, Array.isArray(frame.container) ? frame.container.length : (frame.key ?? ''));
}

/** Puts a finished value where it belongs. A forbidden key's value goes nowhere: it was reported. */
function place(reader: Reader, value: unknown): void {
  const frame = reader.frames.at(-1);
  reader.expected = 'separator';
  if (frame === undefined) reader.root = value;
  else if (Array.isArray(frame.container)) frame.container.push(value);
  else if (frame.key !== undefined && !isForbiddenKey(frame.key)) frame.container[frame.key] = value;
}

function readNumber(reader: Reader): Fatal {
  NUMBER.lastIndex = reader.offset;
  const text = NUMBER.exec(reader.text)?.[0] ?? '';
  const end = reader.offset + text.length;
  if (text === '' || !isDelimiter(reader.text[end])) return noNumber(reader, reader.offset);
  const value = Number(text);
  if (!Number.isFinite(value)) note(reader, () => notFinite(pointerOf(reader), text));
  reader.offset = end;
  // Negative zero is zero to every key of a card.
  place(reader, value === 0 ? 0 : value);
  return null;
}

function readLiteral(reader: Reader): Fatal {
  for (const [name, value] of LITERALS) {
    const end = reader.offset + name.length;
    if (!reader.text.startsWith(name, reader.offset) || !isDelimiter(reader.text[end])) continue;
    reader.offset = end;
    place(reader, value);
    return null;
  }
  return wrong(reader);
}

function isDelimiter(character: string | undefined): boolean {
  return character === undefined || ' \t\n\r,:]}[{"/'.includes(character);
}

/** Reads a text from its opening to its closing quote. */
function readText(reader: Reader): string | Problem {
  const { text, offset: start } = reader;
  let end = start + 1;
  for (; end < text.length && text[end] !== '"'; end += 1) {
    if (text.charCodeAt(end) < 0x20) return misplaced(syntax(reader), end, { kind: 'control', start });
    if (text[end] !== '\\') continue;
    if (!isEscape(text, end)) return misplaced(syntax(reader), end, { kind: 'escape', start });
    end += 1;
  }
  if (end >= text.length) return misplaced(syntax(reader), end, { kind: 'unclosed-text', start });
  reader.offset = end + 1;
  return JSON.parse(text.slice(start, end + 1)) as string;
}

function isEscape(text: string, offset: number): boolean {
  const letter = text[offset + 1] ?? '';
  if (letter === 'u') return /^[0-9A-Fa-f]{4}$/.test(text.slice(offset + 2, offset + 6));
  return letter !== '' && '"\\/bfnrt'.includes(letter);
}

function wrong(reader: Reader): Problem {
  return misplaced(syntax(reader), reader.offset, { kind: 'token' });
}

function syntax(reader: Reader): Syntax {
  const frame = reader.frames.at(-1);
  return {
    text: reader.text,
    subject: reader.subject,
    expected: reader.expected,
    openedAt: frame?.offset,
    isList: frame !== undefined && Array.isArray(frame.container),
    key: frame?.key,
  };
}
