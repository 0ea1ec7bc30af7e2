import { SCRUBBED_SECRET_MIN } from '../base/limits.ts';
import { Needles } from './needles.ts';

const STAR = 0x2a;
const NOTHING = Buffer.alloc(0);

/** Characters of base64 that bytes before a text have a part in, by their number modulo 3. */
const BASE64_SHARED = [0, 2, 3];

/** What some writers of JSON escape although they need not: `/` (PHP) and what is special in HTML (Go). */
const SLASH = /\//g;
const HTML_SPECIAL = /[<>&]/g;

/** What `encodeURIComponent` leaves and others encode (RFC 3986 section 2.2). */
const SUB_DELIMITERS = /[!'()*]/g;

/**
 * Every way in which an answer may spell one of the secrets: as it is, in base64 and base64url wherever it lies in what
 * was encoded, in hexadecimal, percent-encoded and as a part of a JSON string. Of base64 that is the core which does
 * not depend on what stands around the secret, so the value of a Basic credential is a secret of its own.
 *
 * A secret below {@link SCRUBBED_SECRET_MIN} characters has no forms: it is a word such as `ollama`, for a server that
 * wants any key at all. To replace it would deface ordinary text, and would tell whoever has all short words written
 * which of them is the key.
 */
export function secretForms(secrets: readonly string[]): readonly Buffer[] {
  const long = secrets.filter((secret) => secret.length >= SCRUBBED_SECRET_MIN);
  return [...new Set(long.flatMap(spellings))].map((form) => Buffer.from(form));
}

function spellings(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString('hex');
  const cores = [0, 1, 2].map((before) => base64Core(bytes, before));
  const json = JSON.stringify(secret).slice(1, -1);
  return [
    secret,
    ...cores,
    ...cores.map((core) => core.replaceAll('+', '-').replaceAll('/', '_')),
    hex,
    hex.toUpperCase(),
    ...percentEncoded(secret, hex),
    json,
    json.replace(SLASH, '\\/'),
    json.replace(HTML_SPECIAL, unicodeEscape),
  ];
}

/** The characters of base64 that depend on the bytes alone, with `before` bytes before them. */
function base64Core(bytes: Buffer, before: number): string {
  const length = before + bytes.length;
  const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
  return text.slice(BASE64_SHARED[before], Math.floor((length * 8) / 6));
}

/** With as few escapes as possible, with all that clients and forms make, and with nothing but escapes; each in both letter cases. */
function percentEncoded(secret: string, hex: string): readonly string[] {
  const sparing = encodeURIComponent(secret);
  const usual = sparing.replace(
    SUB_DELIMITERS,
    (character) => `%${Buffer.from(character).toString('hex').toUpperCase()}`,
  );
  // As forms are encoded (URL Standard, section 5.2).
  const form = new URLSearchParams({ '': secret }).toString().slice(1);
  const whole = hex.replace(/../g, '%$&');
  return [
    ...[sparing, usual, form].flatMap((text) => [text, text.replace(/%../g, (code) => code.toLowerCase())]),
    whole,
    whole.toUpperCase(),
  ];
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** What is looked for, made ready. */
interface Ready {
  readonly texts: readonly string[];
  readonly needles: Needles;
  /** 1 for bytes that are part of secrets. */
  readonly alphabet: Uint8Array;
  /** Most bytes that wait: one less than the longest form. */
  readonly waitingMax: number;
}

/** One for each list of forms: an agent's are the same for all its answers. */
const made = new WeakMap<readonly Buffer[], Ready>();

function readyFor(forms: readonly Buffer[]): Ready {
  const found = made.get(forms);
  if (found !== undefined) return found;
  const alphabet = Uint8Array.from({ length: 256 }, (_, byte) => (isVisible(byte) ? 1 : 0));
  for (const form of forms) for (const byte of form) alphabet[byte] = 1;
  const ready = {
    texts: forms.map((form) => form.toString('latin1')),
    needles: new Needles(forms),
    alphabet,
    waitingMax: Math.max(0, ...forms.map((form) => form.length - 1)),
  };
  made.set(forms, ready);
  return ready;
}

/**
 * Replaces secrets in bytes that pass by with as many stars. The end of what came waits for more bytes where any secret
 * of such a length could have begun: back to the last byte that is in none, such as the line end after an event.
 *
 * Only how long secrets are decides what waits. If it waited for being like the secret, whoever has a server repeat a
 * text, and sees where a piece of the answer ends, would find the secret out letter by letter.
 */
export class Scrubber {
  readonly #ready: Ready;
  /** The end of what came, which waits: as it came, and as it is passed on. */
  #came: Buffer = NOTHING;
  #shown: Buffer = NOTHING;
  /** How much of it is passed on already: stars, whatever follows. */
  #passed = 0;

  constructor(forms: readonly Buffer[]) {
    this.#ready = readyFor(forms);
  }

  /** A text that is there as a whole; each character stands for the byte of its number. */
  scrubText(text: string): string {
    if (!this.#ready.texts.some((form) => text.includes(form))) return text;
    const bytes = Buffer.from(text, 'latin1');
    const shown = Buffer.from(bytes);
    this.#cover(bytes, shown);
    return shown.toString('latin1');
  }

  /** Takes the next bytes and gives those that can be passed on, which may be the same object. */
  add(bytes: Buffer): Buffer {
    const came = this.#came.length === 0 ? bytes : Buffer.concat([this.#came, bytes]);
    const waiting = this.#waitingOf(came);
    if (this.#came.length === 0 && waiting === 0 && this.#ready.needles.first(came) === -1) return bytes;
    const shown = Buffer.concat([this.#shown, bytes]);
    this.#cover(came, shown);
    const kept = came.length - waiting;
    let ready = Math.max(kept, this.#passed);
    while (ready < shown.length && shown[ready] === STAR) ready += 1;
    const passing = shown.subarray(this.#passed, ready);
    this.#came = came.subarray(kept);
    this.#shown = shown.subarray(kept);
    this.#passed = ready - kept;
    return passing;
  }

  /** No more bytes come: what still waits. */
  end(): Buffer {
    const rest = this.#shown.subarray(this.#passed);
    this.#came = NOTHING;
    this.#shown = NOTHING;
    this.#passed = 0;
    return rest;
  }

  /** How many bytes at the end wait for more; no secret that is not whole begins before them. */
  #waitingOf(bytes: Buffer): number {
    const { alphabet, waitingMax } = this.#ready;
    let at = bytes.length;
    const first = Math.max(0, bytes.length - waitingMax);
    while (at > first && alphabet[bytes[at - 1] ?? 0] === 1) at -= 1;
    return bytes.length - at;
  }

  #cover(bytes: Buffer, shown: Buffer): void {
    for (const { start, end } of this.#ready.needles.places(bytes)) shown.fill(STAR, start, end);
  }
}

/** What keys are read as, and their forms consist of: visible ASCII. */
function isVisible(byte: number): boolean {
  return byte > 0x20 && byte < 0x7f;
}
