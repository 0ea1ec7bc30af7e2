import { CARD_BYTES_MAX } from '../base/limits.ts';
import type { Result } from '../base/result.ts';
import type { Card } from './card.gen.ts';
import { validateCard } from './card-validator.gen.ts';
import { contradictions } from './consistency.ts';
import { type DocumentKind, parseDocument } from './document.ts';
import { FORMS } from './forms.ts';
import { suggestKey } from './key-suggestions.ts';
import { CARD_TABLE } from './keys.ts';
import type { CardFormat } from './reading.ts';
import { CARD } from './subject.ts';

const CARD_KIND: DocumentKind = {
  words: { ...CARD, keys: CARD_TABLE, forms: FORMS, suggestKey },
  bytesMax: CARD_BYTES_MAX,
  largeRemedy: 'Put long texts in files of the workspace.',
  validate: validateCard,
  contradictions,
  code: null,
};

/** A card from the bytes of its file, or every problem at once; more about both at {@link parseDocument}. */
export function parseCard(bytes: Uint8Array, options: { readonly format: CardFormat }): Result<Card> {
  return parseDocument<Card>(bytes, options.format, CARD_KIND);
}
