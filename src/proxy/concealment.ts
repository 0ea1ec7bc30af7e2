import { Scrubber, secretForms } from '../policy/scrub.ts';
import type { Gateway } from '../policy/table.ts';

/** Keeps keys and placeholders out of what is written down of requests, whatever an agent put where. */
export class Concealment {
  #scrubber = new Scrubber([]);

  /** Conceals those of other gateways from now on. Names of hosts have lost their case. */
  replace(gateways: readonly Pick<Gateway, 'key' | 'placeholder'>[]): void {
    const texts = gateways.flatMap(({ key, placeholder }) => [key ?? [], placeholder ?? []].flat());
    this.#scrubber = new Scrubber(secretForms([...texts, ...texts.map((text) => text.toLowerCase())]));
  }

  /** The text with stars in place of them. */
  text(text: string): string {
    return this.#scrubber.scrubText(text);
  }

  /** The same of every text that is a member of a value. */
  members<T extends object>(value: T): T {
    const shown = Object.entries(value).map(([name, member]: [string, unknown]) => [
      name,
      typeof member === 'string' ? this.text(member) : member,
    ]);
    return Object.fromEntries(shown) as T;
  }
}
