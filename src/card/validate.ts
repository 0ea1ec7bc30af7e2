import type { ErrorObject } from 'ajv';
import { pointerTo, valueAt } from '../base/pointer.ts';
import { oneOf, quote } from '../base/quote.ts';
import type { Problem } from '../base/result.ts';
import type { Card } from './card.gen.ts';
import { validateCard } from './card-validator.gen.ts';
import { FORMS } from './forms.ts';
import { nearest, suggestKey } from './key-suggestions.ts';
import { displayName, generalPointer, keyAt } from './keys.ts';
import type { CardFormat } from './reading.ts';
import type { SchemaKey } from './schema-key.ts';
import { renderMember, suggestNumber, suggestType } from './value-suggestions.ts';

/** Whether a value is a card by the schema, which knows nothing of the file it came from. */
export function isCard(value: unknown): value is Card {
  return validateCard(value);
}

/** Everything the schema finds wrong with a value, in its order, in words. */
export function schemaProblems(value: unknown, format: CardFormat, most: number): readonly Problem[] {
  if (validateCard(value)) return [];
  const problems = new Map<string, Problem>();
  for (const error of validateCard.errors ?? []) {
    if (problems.size === most) break;
    const problem = explain(error, value, format);
    // Two rules can mean the same fault, such as a type that a key and the form it has both ask for.
    if (problem !== null) problems.set(`${problem.code} ${problem.pointer}`, problem);
  }
  return [...problems.values()];
}

function explain(error: ErrorObject, document: unknown, format: CardFormat): Problem | null {
  const { keyword, instancePath: pointer, params } = error;
  if (keyword === 'propertyNames') return null;
  if (error.propertyName !== undefined) return explainName(pointer, error.propertyName, error);
  if (keyword === 'additionalProperties') return unknownKey(pointer, String(params['additionalProperty']));
  if (keyword === 'required') return missingKey(pointer, String(params['missingProperty']), format);
  const key = keyAt(pointer);
  const value = valueAt(document, pointer);
  if (keyword === 'type') return wrongType(pointer, key, value, format);
  if (keyword === 'enum') return typeof value === 'string' ? notAllowed(pointer, key, value) : null;
  if (keyword === 'pattern' || keyword === 'not') return wrongForm(pointer, error.schemaPath, String(value));
  return outOfRange(pointer, key, value);
}

function problem(code: Problem['code'], pointer: string, message: string, suggestion?: string): Problem {
  return { code, pointer, message, ...(suggestion === undefined ? {} : { suggestion }) };
}

function unknownKey(parent: string, key: string): Problem {
  const suggestion = suggestKey(generalPointer(parent) ?? parent, key);
  return problem(
    'card.unknown-key',
    pointerTo(parent, key),
    `${displayName(parent)} has no key ${quote(key)}.`,
    suggestion,
  );
}

function missingKey(parent: string, key: string, format: CardFormat): Problem {
  const pointer = pointerTo(parent, key);
  const example = keyAt(pointer)?.example;
  const suggestion = example === undefined ? undefined : `Add ${renderMember(key, example, format)}, for example.`;
  return problem('card.missing-key', pointer, `${displayName(parent)} lacks the key "${key}".`, suggestion);
}

const TYPE_NAMES: Readonly<Record<SchemaKey['type'], string>> = {
  string: 'a text',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  'string or object': 'a text or an object',
};

function wrongType(pointer: string, key: SchemaKey | undefined, value: unknown, format: CardFormat): Problem {
  const wanted = key?.type ?? 'object';
  const message = `${displayName(pointer)} must be ${TYPE_NAMES[wanted]}, but is ${describeValue(value)}.`;
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

function wrongForm(pointer: string, schemaPath: string, text: string): Problem {
  const fault = formOf(schemaPath)(text);
  return problem(fault.code, pointer, `${displayName(pointer)} ${fault.cause}.`, fault.suggestion);
}

/** Faults of a name in a map: the map's rule broke, not the schema's list of keys. */
function explainName(parent: string, name: string, error: ErrorObject): Problem {
  const pointer = pointerTo(parent, name);
  const shown = `The name ${quote(name)} in ${displayName(parent)}`;
  if (error.keyword === 'maxLength') {
    return problem(
      'card.out-of-range',
      pointer,
      `${shown} is longer than ${String(error.params['limit'])} characters.`,
    );
  }
  const fault = formOf(error.schemaPath)(name);
  return problem(fault.code, pointer, `${shown} ${fault.cause}.`, fault.suggestion);
}

function formOf(schemaPath: string): (text: string) => { code: Problem['code']; cause: string; suggestion?: string } {
  const name = /^#\/definitions\/(\w+)\//.exec(schemaPath)?.[1] ?? '';
  return FORMS[name] ?? (() => ({ code: 'card.bad-format', cause: 'does not have the form it must have' }));
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
