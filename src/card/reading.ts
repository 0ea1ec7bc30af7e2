import { CARD_DEPTH_MAX } from '../base/limits.ts';
import { pointerTo } from '../base/pointer.ts';
import { quote } from '../base/quote.ts';
import type { Problem } from '../base/result.ts';
import type { Subject } from './subject.ts';

/** The two ways a card is written. */
export type CardFormat = 'json' | 'toml';

/** What a reader made of a text: a plain value, and the problems that the value does not show any more. */
export interface Reading {
  /** Objects, lists, texts, finite numbers, booleans and null; undefined when the text could not be read to its end. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
}

/**
 * Names that every object of JavaScript has, and `prototype`: as keys of a card they are useless to people and
 * useful only to confuse programs.
 */
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set([...Object.getOwnPropertyNames(Object.prototype), 'prototype']);

/** Whether no document may contain a key, wherever it stands. */
export function isForbiddenKey(key: string): boolean {
  return FORBIDDEN_KEYS.has(key);
}

/** The problem of a key that no document may contain. */
export function forbiddenKey(parent: string, key: string, { noun }: Subject): Problem {
  return {
    code: 'card.forbidden-key',
    pointer: pointerTo(parent, key),
    message: `The key ${quote(key)} is refused everywhere in a ${noun}: programs have a meaning of their own for it.`,
    suggestion: 'Choose another name.',
  };
}

/** The problem of a number that is beyond what a double holds, or no number at all. */
export function notFinite(pointer: string, text: string): Problem {
  return {
    code: 'card.out-of-range',
    pointer,
    message: `The number ${text.length > 40 ? `${text.slice(0, 39)}…` : text} is beyond every bound.`,
  };
}

/** The problem of a document that nests too deep. */
export function tooDeep(pointer: string, where: string, { noun, depth }: Subject): Problem {
  return {
    code: 'card.too-deep',
    pointer,
    message: `The ${noun} nests deeper than ${CARD_DEPTH_MAX} levels${where}; the deepest key of a ${noun} needs ${depth}.`,
  };
}
