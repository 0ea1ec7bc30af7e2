import { USAGE_DEPTH_MAX, USAGE_NAME_BYTES_MAX } from '../base/limits.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

/** Digits of a number that is kept; as many are always exact. */
const DIGITS_MAX = 15;
const NO_NUMBER = -1;

/**
 * Finds the whole numbers in JSON values that stand one behind the other, or in an array around them all, from pieces
 * as they come. Nothing else is kept, whatever it is and however long; what lies deeper than {@link USAGE_DEPTH_MAX}
 * objects or within an array is passed over. Numbers of a value that breaks off or is no JSON are not given out.
 */
export class UsageJson {
  readonly #onValue: (numbers: ReadonlyMap<string, number>) => void;
  /** Names of the members on the way to where it reads; the last is that of the member being read. */
  #names: string[] = [];
  /** Open arrays and objects that are passed over. */
  #skipped = 0;
  #isWithinArray = false;
  #isBroken = false;
  #string: 'none' | 'name' | 'text' = 'none';
  #isEscaped = false;
  /** Whether the next string is the name of a member. */
  #isNameNext = false;
  #nameBytes: number[] = [];
  /** The digits so far; {@link NO_NUMBER} when none, or when it is something else than a whole number. */
  #number = NO_NUMBER;
  #digits = 0;
  #isScalar = false;
  #found = new Map<string, number>();

  /** `onValue` is given the numbers of each value when it is over, by the names on the way to them with dots between. */
  constructor(onValue: (numbers: ReadonlyMap<string, number>) => void) {
    this.#onValue = onValue;
  }

  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.#isBroken; at += 1) {
      // Most of an answer is text.
      if (this.#string === 'text' && !this.#isEscaped) at = endOfText(bytes, at);
      if (at === bytes.length) return;
      const byte = bytes[at] ?? 0;
      if (this.#string === 'none') this.#step(byte);
      else this.#stringByte(byte);
    }
  }

  /** Forgets what is not over yet: something new begins. */
  reset(): void {
    this.#names = [];
    this.#skipped = 0;
    this.#isWithinArray = false;
    this.#isBroken = false;
    this.#string = 'none';
    this.#isEscaped = false;
    this.#isNameNext = false;
    this.#endScalar();
    this.#found = new Map();
  }

  #step(byte: number): void {
    switch (byte) {
      case QUOTE:
        this.#beginString();
        break;
      case OPEN_OBJECT:
        this.#open(this.#names.length < USAGE_DEPTH_MAX);
        break;
      case OPEN_ARRAY:
        this.#openArray();
        break;
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        this.#takeNumber();
        this.#close(byte);
        break;
      case COMMA:
        this.#takeNumber();
        this.#isNameNext = this.#skipped === 0 && this.#names.length > 0;
        break;
      case COLON:
        this.#endScalar();
        break;
      default:
        this.#scalarByte(byte);
    }
  }

  #open(isLookedInto: boolean): void {
    this.#endScalar();
    if (this.#skipped > 0 || !isLookedInto) {
      this.#skipped += 1;
      return;
    }
    this.#names.push('');
    this.#isNameNext = true;
  }

  #openArray(): void {
    if (this.#names.length > 0 || this.#isWithinArray) this.#open(false);
    else this.#isWithinArray = true;
  }

  #close(byte: number): void {
    if (this.#skipped > 0) {
      this.#skipped -= 1;
      return;
    }
    if (byte === CLOSE_ARRAY) {
      // Only the array around everything is not passed over.
      if (this.#names.length > 0 || !this.#isWithinArray) this.#isBroken = true;
      this.#isWithinArray = false;
      return;
    }
    if (this.#names.pop() === undefined) {
      this.#isBroken = true;
      return;
    }
    this.#isNameNext = false;
    if (this.#names.length > 0) return;
    const found = this.#found;
    this.#found = new Map();
    if (found.size > 0) this.#onValue(found);
  }

  #beginString(): void {
    this.#endScalar();
    const isName = this.#isNameNext && this.#skipped === 0;
    this.#string = isName ? 'name' : 'text';
    this.#isNameNext = false;
    this.#nameBytes = [];
  }

  #stringByte(byte: number): void {
    if (byte === QUOTE && !this.#isEscaped) {
      if (this.#string === 'name') this.#names[this.#names.length - 1] = nameOf(this.#nameBytes);
      this.#string = 'none';
      return;
    }
    this.#isEscaped = byte === BACKSLASH && !this.#isEscaped;
    // One more than allowed, so that it shows.
    if (this.#string === 'name' && this.#nameBytes.length <= USAGE_NAME_BYTES_MAX) this.#nameBytes.push(byte);
  }

  /** A byte of a number or of a word, or white space after it. */
  #scalarByte(byte: number): void {
    if (byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d) return;
    const digit = byte - 0x30;
    const isFirst = !this.#isScalar;
    this.#isScalar = true;
    this.#digits += 1;
    const isWhole = digit >= 0 && digit <= 9 && this.#digits <= DIGITS_MAX && (isFirst || this.#number !== NO_NUMBER);
    this.#number = isWhole ? (isFirst ? 0 : this.#number) * 10 + digit : NO_NUMBER;
  }

  #takeNumber(): void {
    if (this.#skipped === 0 && this.#names.length > 0 && this.#number !== NO_NUMBER)
      this.#found.set(this.#names.join('.'), this.#number);
    this.#endScalar();
  }

  #endScalar(): void {
    this.#number = NO_NUMBER;
    this.#digits = 0;
    this.#isScalar = false;
  }
}

/** The name of a member, or an empty one for what is too long, is no text, or has a dot and could be taken for a way. */
function nameOf(bytes: readonly number[]): string {
  if (bytes.length > USAGE_NAME_BYTES_MAX) return '';
  const text = unescaped(Buffer.from(bytes).toString());
  return text.includes('.') ? '' : text;
}

function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    return '';
  }
}

/** Where the next byte is that ends a text or escapes something in it. */
function endOfText(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== QUOTE && bytes[at] !== BACKSLASH) at += 1;
  return at;
}
