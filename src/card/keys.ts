import { pointerSteps } from '../base/pointer.ts';
import { quote } from '../base/quote.ts';
import { CARD_KEYS } from './card-keys.gen.ts';
import type { SchemaKey } from './schema-key.ts';

const BY_POINTER: ReadonlyMap<string, SchemaKey> = new Map(CARD_KEYS.map((key) => [key.pointer, key]));

/** The pointer of CARD_KEYS that a pointer into a card falls under, `*` for list indexes and names of maps; null if none. */
export function generalPointer(pointer: string): string | null {
  let general = '';
  for (const step of pointerSteps(pointer)) {
    const named = `${general}/${step}`;
    general = BY_POINTER.has(named) ? named : `${general}/*`;
    if (!BY_POINTER.has(general)) return null;
  }
  return general;
}

/** What the schema says of the value at a pointer into a card, or undefined for one it does not know. */
export function keyAt(pointer: string): SchemaKey | undefined {
  const general = generalPointer(pointer);
  return general === null ? undefined : BY_POINTER.get(general);
}

/** Whether the names below the value at a pointer into a card are its author's own. */
export function isMap(pointer: string): boolean {
  const general = generalPointer(pointer);
  return general !== null && BY_POINTER.get(general)?.type === 'object' && BY_POINTER.has(`${general}/*`);
}

/** How a sentence calls the value at a pointer: `"network.publish[0].port"`, or `The card` for the whole. */
export function displayName(pointer: string): string {
  if (pointer === '') return 'The card';
  const steps = pointerSteps(pointer).map((step) => (/^(?:[0-9]+|\*)$/.test(step) ? `[${step}]` : `.${step}`));
  return quote(steps.join('').slice(1));
}
