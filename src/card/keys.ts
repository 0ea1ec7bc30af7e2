import { pointerSteps } from '../base/pointer.ts';
import { quote } from '../base/quote.ts';
import { CARD_KEYS } from './card-keys.gen.ts';
import type { SchemaKey } from './schema-key.ts';

/** The keys of a kind of document by their pointers. */
export type KeyTable = ReadonlyMap<string, SchemaKey>;

/** The keys of a schema for finding. */
export function keyTable(keys: readonly SchemaKey[]): KeyTable {
  return new Map(keys.map((key) => [key.pointer, key]));
}

/** The keys of a card. */
export const CARD_TABLE: KeyTable = keyTable(CARD_KEYS);

/** The pointer of the table that a pointer into a document falls under, `*` for list indexes and names of maps; null if none. */
export function generalPointer(pointer: string, keys: KeyTable): string | null {
  let general = '';
  for (const step of pointerSteps(pointer)) {
    const named = `${general}/${step}`;
    general = keys.has(named) ? named : `${general}/*`;
    if (!keys.has(general)) return null;
  }
  return general;
}

/** What the schema says of the value at a pointer into a document, or undefined for one it does not know. */
export function keyAt(pointer: string, keys: KeyTable): SchemaKey | undefined {
  const general = generalPointer(pointer, keys);
  return general === null ? undefined : keys.get(general);
}

/** Whether the names below the value at a pointer into a card are its author's own. */
export function isMap(pointer: string): boolean {
  const general = generalPointer(pointer, CARD_TABLE);
  return general !== null && CARD_TABLE.get(general)?.type === 'object' && CARD_TABLE.has(`${general}/*`);
}

/** How a sentence calls the value at a pointer: `"network.publish[0].port"`, or `The card` for the whole. */
export function displayName(pointer: string, noun: string = 'card'): string {
  if (pointer === '') return `The ${noun}`;
  const steps = pointerSteps(pointer).map((step) => (/^(?:[0-9]+|\*)$/.test(step) ? `[${step}]` : `.${step}`));
  return quote(steps.join('').slice(1));
}
