import type { UsageJson } from './usage-json.ts';

const LF = 10;
const CR = 13;
const SPACE = 32;
const LINE_FEED = new Uint8Array([LF]);

/** How a line begins whose rest is data; a byte order mark may come before the first line. */
const DATA = Buffer.from('data:');
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/** What the next byte belongs to: the beginning of a line, the space after `data:`, data, or a line that says nothing here. */
type State = 'mark' | 'line' | 'space' | 'data' | 'other';

/** Hands the data of a stream of events (the HTML standard, section 9.2) to a reader of JSON, however lines are cut. */
export class UsageEvents {
  readonly #json: UsageJson;
  #state: State = 'mark';
  /** Bytes of {@link BYTE_ORDER_MARK} or {@link DATA} that have come. */
  #matched = 0;
  #isAfterCr = false;

  constructor(json: UsageJson) {
    this.#json = json;
  }

  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#state === 'data' || this.#state === 'other') at = this.#restOfLine(bytes, at);
      else {
        this.#step(bytes[at] ?? 0);
        at += 1;
      }
    }
  }

  /** Takes everything up to the end of the line, and the end if it is there; where the next one begins. */
  #restOfLine(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.length && bytes[at] !== LF && bytes[at] !== CR) at += 1;
    if (this.#state === 'data') this.#json.add(bytes.subarray(from, at));
    if (at === bytes.length) return at;
    this.#endLine(bytes[at] ?? 0);
    return at + 1;
  }

  #step(byte: number): void {
    const isSecondHalf = byte === LF && this.#isAfterCr;
    this.#isAfterCr = false;
    if (isSecondHalf) return;
    if (this.#state === 'mark') {
      if (byte === BYTE_ORDER_MARK[this.#matched]) {
        this.#matched += 1;
        if (this.#matched === BYTE_ORDER_MARK.length) this.#begin('line');
        return;
      }
      this.#begin(this.#matched === 0 ? 'line' : 'other');
    }
    if (byte === LF || byte === CR) this.#endLine(byte);
    else if (this.#state === 'space') {
      this.#begin('data');
      if (byte !== SPACE) this.#json.add(new Uint8Array([byte]));
    } else if (this.#state === 'line') {
      if (byte !== DATA[this.#matched]) this.#begin('other');
      else if (this.#matched + 1 === DATA.length) this.#begin('space');
      else this.#matched += 1;
    }
  }

  #endLine(byte: number): void {
    if (this.#state === 'line' && this.#matched === 0) this.#json.reset();
    if (this.#state === 'data') this.#json.add(LINE_FEED);
    this.#isAfterCr = byte === CR;
    this.#begin('line');
  }

  #begin(state: State): void {
    this.#state = state;
    this.#matched = 0;
  }
}
