import { parse, TomlDate, TomlError } from 'smol-toml';
import { CARD_DEPTH_MAX, CARD_PROBLEMS_MAX } from '../base/limits.ts';
import { pointerTo } from '../base/pointer.ts';
import type { Problem } from '../base/result.ts';
import { forbiddenKey, isForbiddenKey, notFinite, type Reading, tooDeep } from './reading.ts';
import { CARD } from './subject.ts';

/** Words of the parser's own messages that tell a fault apart from a plain syntax error. */
const REDEFINED = /redefine|already (?:been )?defined/;
const NESTED = /excessively nested/;

/** Reads TOML 1.0 into the values JSON has. Dates and numbers beyond a double are reported. */
export function readToml(text: string): Reading {
  let document: unknown;
  try {
    document = parse(text, { maxDepth: CARD_DEPTH_MAX, integersAsBigInt: 'asNeeded' });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    return { value: undefined, problems: [syntaxProblem(error)] };
  }
  const problems: Problem[] = [];
  const value = plainValue(document, '', 1, problems);
  const deep = problems.find(({ code }) => code === 'card.too-deep');
  return deep === undefined ? { value, problems } : { value: undefined, problems: [deep] };
}

function syntaxProblem(error: TomlError): Problem {
  const place = `line ${error.line}, column ${error.column}`;
  const cause = (error.message.split('\n')[0] ?? '').replace(/^Invalid TOML document: /, '').replace(/\.$/, '');
  if (NESTED.test(cause)) return tooDeep('', ` at ${place}`, CARD);
  if (REDEFINED.test(cause)) {
    const message = `A key or table is given a second time at ${place}.`;
    return { code: 'card.duplicate-key', pointer: '', message, suggestion: 'Keep one of them.' };
  }
  return { code: 'card.syntax', pointer: '', message: `The card is not well-formed TOML at ${place}: ${cause}.` };
}

/**
 * A value of the parser as JSON would have it. A value that JSON lacks becomes undefined and a problem; dotted keys
 * can nest deeper than the parser counts, so the depth, from 1, is bounded here once more.
 */
function plainValue(value: unknown, pointer: string, depth: number, problems: Problem[]): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number' && !Number.isFinite(value))
    return report(problems, notFinite(pointer, String(value).replace('Infinity', 'inf').replace('NaN', 'nan')));
  if (value instanceof TomlDate) return report(problems, dateProblem(pointer));
  if (typeof value === 'number') return value === 0 ? 0 : value;
  if (typeof value !== 'object' || value === null) return value;
  if (depth > CARD_DEPTH_MAX) return report(problems, tooDeep(pointer, '', CARD));
  if (Array.isArray(value)) {
    return value.map((entry, index) => plainValue(entry, pointerTo(pointer, index), depth + 1, problems));
  }
  const plain: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    if (isForbiddenKey(key)) report(problems, forbiddenKey(pointer, key, CARD));
    else plain[key] = plainValue(member, pointerTo(pointer, key), depth + 1, problems);
  }
  return plain;
}

function report(problems: Problem[], problem: Problem): undefined {
  if (problems.length < CARD_PROBLEMS_MAX) problems.push(problem);
}

function dateProblem(pointer: string): Problem {
  return {
    code: 'card.wrong-type',
    pointer,
    message: 'A date is written here, but no key of a card holds one.',
    suggestion: 'Put it in quotes if a text is meant.',
  };
}
