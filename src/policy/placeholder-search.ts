import { Needles } from './needles.ts';
import type { RequestHead } from './request-head.ts';
import { secretForms } from './scrub.ts';

/** A piece of a body: what of it can be sent on, or the placeholder that is in it. */
export type SearchedPiece =
  | { readonly kind: 'clean'; readonly bytes: Buffer }
  | { readonly kind: 'found'; readonly placeholder: string };

/** A credential for Basic authentication (RFC 7617). */
const BASIC = /^basic +([0-9A-Za-z+/_-]+)=*$/i;
const ESCAPE = /%[0-9A-Fa-f]{2}/g;

/**
 * Looks for placeholders of keys in one request, in the forms in which clients spell a key. A placeholder is no secret:
 * this catches the agent that sends what it takes for a key to somebody else, and nobody who hides one on purpose.
 */
export class PlaceholderSearch {
  readonly #placeholders: readonly string[];
  /** Which placeholder each form spells. */
  readonly #owners: readonly string[];
  readonly #forms: readonly string[];
  /** Made for the first piece of a body. */
  #needles: Needles | null = null;
  #waiting: Buffer = Buffer.alloc(0);

  constructor(placeholders: readonly string[]) {
    const spelled = placeholders.map((placeholder) => ({ placeholder, forms: secretForms([placeholder]) }));
    this.#placeholders = placeholders;
    this.#owners = spelled.flatMap((one) => one.forms.map(() => one.placeholder));
    this.#forms = spelled.flatMap((one) => one.forms.map((form) => form.toString('latin1')));
  }

  /** Whether there is anything to look for. */
  get isEmpty(): boolean {
    return this.#placeholders.length === 0;
  }

  /** The placeholder that is in the target, in a name or in a value of the head; null for none. */
  inHead({ target, fields }: Pick<RequestHead, 'target' | 'fields'>): string | null {
    if (this.isEmpty) return null;
    const came = [target, ...fields.flatMap(({ name, value }) => [name, value])];
    const plain = came.map(withoutEscapes);
    const basic = fields.flatMap(({ value }) => BASIC.exec(value)?.[1] ?? []);
    const decoded = basic.map((value) => Buffer.from(value, 'base64').toString('latin1'));
    // No placeholder goes over a line's end.
    return this.#inText([...came, ...plain, ...decoded].join('\n'));
  }

  /** Takes the next bytes of the body. After something was found nothing more is sent on. */
  add(bytes: Buffer): SearchedPiece {
    const came = this.#waiting.length === 0 ? bytes : Buffer.concat([this.#waiting, bytes]);
    this.#needles ??= new Needles(this.#forms.map((form) => Buffer.from(form, 'latin1')));
    const placeholder = this.#owners[this.#needles.first(came)];
    if (placeholder !== undefined) return { kind: 'found', placeholder };
    const clean = came.length - this.#needles.unfinished(came);
    this.#waiting = came.subarray(clean);
    return { kind: 'clean', bytes: came.subarray(0, clean) };
  }

  /** The body is over: what still waits, which is no placeholder. */
  end(): Buffer {
    const rest = this.#waiting;
    this.#waiting = Buffer.alloc(0);
    return rest;
  }

  /** In any form; in any case where it stands as it is, since names of hosts and of fields have none. */
  #inText(text: string): string | null {
    const at = this.#forms.findIndex((form) => text.includes(form));
    if (at !== -1) return this.#owners[at] ?? null;
    const lower = text.toLowerCase();
    return this.#placeholders.find((placeholder) => lower.includes(placeholder.toLowerCase())) ?? null;
  }
}

/** Escaped characters in their own place, as servers read them in targets and cookies. */
function withoutEscapes(text: string): string {
  return text.replace(ESCAPE, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)));
}
