import { guessQuantity, type QuantityKind } from '../base/quantities.ts';
import { quote } from '../base/quote.ts';
import type { CardFormat } from './reading.ts';
import type { SchemaKey } from './schema-key.ts';

/** A value that a key cannot have, with what the schema says of the key. */
export interface WrongValue {
  readonly pointer: string;
  readonly key: SchemaKey | undefined;
  readonly value: unknown;
  readonly format: CardFormat;
}

/** Longest text that a suggestion repeats, characters. */
const REPEATED_MAX = 60;

/** MiB in bytes: what a number above every bound of a key that counts MiB is most likely meant in. */
const MEBIBYTE = 1024 * 1024;

/** What to write instead of a value of the wrong type, or undefined. */
export function suggestType(wrong: WrongValue): string | undefined {
  const { pointer, key, value, format } = wrong;
  if (key === undefined) return undefined;
  if (value === null) return 'Leave the key out if it is not needed.';
  if (key.type === 'integer') return suggestNumber(pointer, key, value);
  if (key.type === 'boolean') return suggestBoolean(value);
  if (key.type === 'string') {
    const isPlain = typeof value === 'number' || typeof value === 'boolean';
    return isPlain ? `Write ${quote(String(value))}, in quotes.` : undefined;
  }
  if (key.type === 'array' && typeof value === 'string' && value.length <= REPEATED_MAX)
    return suggestList(pointer, value);
  return key.example === undefined ? undefined : `Write ${renderValue(key.example, format)}, for example.`;
}

function suggestList(pointer: string, text: string): string {
  if (pointer !== '/command') return `Write ${renderValue([text], 'json')}.`;
  const words = text.split(' ').filter((word) => word !== '');
  const isPlain = words.length > 0 && /^[A-Za-z0-9 _./:=@%+,-]*$/.test(text);
  return `Write ${renderValue(isPlain ? words : ['bash', '-c', text], 'json')}.`;
}

function suggestBoolean(value: unknown): string | undefined {
  const word = typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 8).toLowerCase() : '';
  if (['true', 'yes', 'on', '1'].includes(word)) return 'Write true.';
  return ['false', 'no', 'off', '0'].includes(word) ? 'Write false.' : undefined;
}

const UNIT_REMARK: Readonly<Record<QuantityKind, string>> = {
  memory: ': the key counts MiB.',
  time: ': the key counts seconds.',
  percent: ': the key counts percent of one core.',
  count: ', without quotes.',
};

/** The whole number that was meant by a text with a unit, a fraction, or a number of bytes; undefined when that is no valid one. */
export function suggestNumber(pointer: string, key: SchemaKey | undefined, value: unknown): string | undefined {
  const kind = quantityKind(pointer);
  const meant = meantNumber(value, kind, key?.most ?? 0);
  if (meant === null || meant < (key?.least ?? 0) || meant > (key?.most ?? 0)) return undefined;
  return `Write ${meant}${typeof value === 'number' && kind === 'count' ? '.' : UNIT_REMARK[kind]}`;
}

function meantNumber(value: unknown, kind: QuantityKind, most: number): number | null {
  if (typeof value === 'string') return guessQuantity(value, kind);
  if (typeof value !== 'number') return null;
  return kind === 'memory' && value > most ? Math.round(value / MEBIBYTE) : Math.round(value);
}

function quantityKind(pointer: string): QuantityKind {
  if (pointer.endsWith('_mb')) return 'memory';
  if (pointer.endsWith('_seconds')) return 'time';
  return pointer.endsWith('_percent') ? 'percent' : 'count';
}

/** `"key": value` or `key = value`, as the card is written. */
export function renderMember(key: string, value: unknown, format: CardFormat): string {
  return format === 'json' ? `"${key}": ${renderValue(value, format)}` : `${key} = ${renderValue(value, format)}`;
}

/** A short value as the card would hold it. */
function renderValue(value: unknown, format: CardFormat): string {
  if (Array.isArray(value)) return `[${value.map((entry) => renderValue(entry, format)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => renderMember(key, member, format));
  return `{ ${members.join(', ')} }`;
}
