import type { ErrorObject } from 'ajv';
import { pointerTo, valueAt } from '../base/pointer.ts';
import { oneOf, quote } from '../base/quote.ts';
import type { Problem } from '../base/result.ts';
import type { Explain } from './forms.ts';
import { displayName, generalPointer, type KeyTable, keyAt } from './keys.ts';
import { nearest } from './nearest.ts';
import type { CardFormat } from './reading.ts';
import type { SchemaKey } from './schema-key.ts';
import type { Subject } from './subject.ts';
import { renderMember, suggestNumber, suggestType } from './value-suggestions.ts';

/** What the words for faults of a kind of document are made from. */
export interface Vocabulary extends Subject {
  readonly keys: KeyTable;
  /** What is wrong with a text, by the name of the definition it breaks. */
  readonly forms: Readonly<Record<string, Explain>>;
  /** What to write for a key that the object at `parent`, a pointer of `keys`, does not know; undefined when nobody knows. */
  readonly suggestKey: (parent: string, key: string) => string | undefined;
}

/** The document that the validator found faults in. */
export interface Judged {
  readonly value: unknown;
  readonly format: CardFormat;
  readonly words: Vocabulary;
}

/** Everything the validator found, in its order, in words, the first `most` of it. */
export function explainErrors(errors: readonly ErrorObject[], judged: Judged, most: number): readonly Problem[] {
  const problems = new Map<string, Problem>();
  for (const error of errors) {
    if (problems.size === most) break;
    const problem = explain(error, judged);
    // Two rules can mean the same fault, such as a type that a key and the form it has both ask for.
    if (problem !== null) problems.set(`${problem.code} ${problem.pointer}`, problem);
  }
  return [...problems.values()];
}

function explain(error: ErrorObject, judged: Judged): Problem | null {
  const { keyword, instancePath: pointer, params } = error;
  if (keyword === 'propertyNames') return null;
  if (error.propertyName !== undefined) return explainName(judged, error.propertyName, error);
  if (keyword === 'additionalProperties') return unknownKey(judged, pointer, String(params['additionalProperty']));
  if (keyword === 'required') return missingKey(judged, pointer, String(params['missingProperty']));
  const key = keyAt(pointer, judged.words.keys);
  const value = valueAt(judged.value, pointer);
  if (keyword === 'type') return wrongType(judged, pointer, key, value);
  if (keyword === 'enum') return typeof value === 'string' ? notAllowed(pointer, key, value) : null;
  if (keyword === 'pattern' || keyword === 'not') return wrongForm(judged, pointer, error.schemaPath, String(value));
  return outOfRange(pointer, key, value);
}

function problem(code: Problem['code'], pointer: string, message: string, suggestion?: string): Problem {
  return { code, pointer, message, ...(suggestion === undefined ? {} : { suggestion }) };
}

function unknownKey({ words }: Judged, parent: string, key: string): Problem {
  const suggestion = words.suggestKey(generalPointer(parent, words.keys) ?? parent, key);
  return problem(
    'card.unknown-key',
    pointerTo(parent, key),
    `${displayName(parent, words.noun)} has no key ${quote(key)}.`,
    suggestion,
  );
}

function missingKey({ format, words }: Judged, parent: string, key: string): Problem {
  const pointer = pointerTo(parent, key);
  const example = keyAt(pointer, words.keys)?.example;
  const suggestion = example === undefined ? undefined : `Add ${renderMember(key, example, format)}, for example.`;
  return problem('card.missing-key', pointer, `${displayName(parent, words.noun)} lacks the key "${key}".`, suggestion);
}

const TYPE_NAMES: Readonly<Record<SchemaKey['type'], string>> = {
  string: 'a text',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  'string or object': 'a text or an object',
};

function wrongType({ format, words }: Judged, pointer: string, key: SchemaKey | undefined, value: unknown): Problem {
  const wanted = key?.type ?? 'object';
  const message = `${displayName(pointer, words.noun)} must be ${TYPE_NAMES[wanted]}, but is ${describeValue(value)}.`;
  return problem('card.wrong-type', pointer, message, suggestType({ pointer, key, value, format }));
}

function describeValue(value: unknown): string {
  if (typeof value === 'string') return `the text ${quote(value)}`;
  if (typeof value === 'number') return `the number ${value}`;
  if (value === null || typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? 'a list' : 'an object';
}

function notAllowed(pointer: string, key: SchemaKey | undefined, value: string): Problem {
  const allowed = key?.allowed ?? [];
  const message = `${displayName(pointer)} is ${quote(value)}, but must be ${oneOf(allowed.map((name) => `"${name}"`))}.`;
  const near = nearest(value, allowed);
  return problem('card.not-allowed', pointer, message, near === null ? undefined : `Write "${near}".`);
}

function wrongForm({ words }: Judged, pointer: string, schemaPath: string, text: string): Problem {
  const fault = formOf(words, schemaPath)(text);
  return problem(fault.code, pointer, `${displayName(pointer)} ${fault.cause}.`, fault.suggestion);
}

/** Faults of a name in a map: the map's rule broke, not the schema's list of keys. */
function explainName({ words }: Judged, name: string, error: ErrorObject): Problem {
  const parent = error.instancePath;
  const pointer = pointerTo(parent, name);
  const shown = `The name ${quote(name)} in ${displayName(parent)}`;
  if (error.keyword === 'maxLength') {
    return problem(
      'card.out-of-range',
      pointer,
      `${shown} is longer than ${String(error.params['limit'])} characters.`,
    );
  }
  const fault = formOf(words, error.schemaPath)(name);
  return problem(fault.code, pointer, `${shown} ${fault.cause}.`, fault.suggestion);
}

function formOf({ forms }: Vocabulary, schemaPath: string): Explain {
  const name = /^#\/definitions\/(\w+)\//.exec(schemaPath)?.[1] ?? '';
  return forms[name] ?? (() => ({ code: 'card.bad-format', cause: 'does not have the form it must have' }));
}

function outOfRange(pointer: string, key: SchemaKey | undefined, value: unknown): Problem {
  const { least = 0, most = 0 } = key ?? {};
  const name = displayName(pointer);
  if (typeof value === 'number') {
    const message = `${name} is ${value}, but must be from ${least} to ${most}.`;
    return problem('card.out-of-range', pointer, message, suggestNumber(pointer, key, value));
  }
  if (typeof value === 'string') {
    return problem('card.out-of-range', pointer, `${name} has ${[...value].length} characters; ${most} are the most.`);
  }
  const count = Array.isArray(value) ? value.length : Object.keys(value ?? {}).length;
  const bound = count < least ? `at least ${least} must be there` : `${most} are the most`;
  return problem(
    'card.out-of-range',
    pointer,
    `${name} has ${count === 1 ? '1 entry' : `${count} entries`}; ${bound}.`,
  );
}
