import { quote } from '../base/quote.ts';
import type { Problem } from '../base/result.ts';
import type { Subject } from './subject.ts';

/** A text and what sentences call the document it is meant to be. */
interface Source {
  readonly text: string;
  readonly subject: Subject;
}

/** What a sentence about a fault needs to know of the place where the reader stood. */
export interface Syntax extends Source {
  readonly expected: 'value' | 'first-value' | 'key' | 'first-key' | 'colon' | 'separator';
  /** Offset of the innermost open bracket; undefined outside the document's own braces. */
  readonly openedAt: number | undefined;
  readonly isList: boolean;
  /** The last key read. */
  readonly key: string | undefined;
}

/** A fault inside a text, or a token that does not belong where it stands. */
export type Fault =
  | { readonly kind: 'token' }
  | { readonly kind: 'control' | 'escape' | 'unclosed-text'; readonly start: number };

/** A cause for the sentence, and what to do about it. */
interface Diagnosis {
  readonly cause: string;
  readonly suggestion?: string;
}

/** A run of characters that stands for one token, for quoting; bounded, the closing quote of a text left out. */
const TOKEN = /"[^"\n]{1,60}|[^\s,:{}[\]"']{1,40}|./suy;
const NUMBER_RULE = 'Write digits, without sign +, leading zeros, units or separators; a text stands in double quotes.';
const CLOSING: Readonly<Record<string, string>> = { '{': '}', '[': ']' };

/** `line 3, column 5`, both from 1; a column is a UTF-16 code unit, as editors count. */
export function describePlace(text: string, offset: number): string {
  let line = 1;
  let start = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) {
    line += 1;
    start = at + 1;
  }
  return `line ${line}, column ${offset - start + 1}`;
}

/** The problem of a document that ends too early. */
export function unclosed(source: Source, openedAt: number | undefined): Problem {
  const { text, subject } = source;
  if (openedAt === undefined) {
    return {
      code: 'card.syntax',
      pointer: '',
      message: `The ${subject.noun} is empty.`,
      suggestion: `Write ${subject.example}.`,
    };
  }
  const bracket = text[openedAt] ?? '';
  return problem(source, text.length, {
    cause: `it ends while the "${bracket}" of ${describePlace(text, openedAt)} is still open`,
    suggestion: `Add the missing "${CLOSING[bracket]}".`,
  });
}

/** The problem of something that looks like a number and is none. */
export function noNumber(source: Source, offset: number): Problem {
  const token = tokenAt(source.text, offset);
  return problem(source, offset, {
    cause: `${quote(token)} is not a number as JSON writes it`,
    suggestion: NUMBER_RULE,
  });
}

/** The problem of a character that does not belong where it stands. */
export function misplaced(syntax: Syntax, offset: number, fault: Fault): Problem {
  return problem(
    syntax,
    offset,
    fault.kind === 'token' ? diagnose(syntax, offset) : diagnoseText(syntax.text, offset, fault),
  );
}

function problem({ text, subject }: Source, offset: number, { cause, suggestion }: Diagnosis): Problem {
  const message = `The ${subject.noun} is not well-formed JSON at ${describePlace(text, offset)}: ${cause}.`;
  return { code: 'card.syntax', pointer: '', message, ...(suggestion === undefined ? {} : { suggestion }) };
}

function tokenAt(text: string, offset: number): string {
  TOKEN.lastIndex = offset;
  return TOKEN.exec(text)?.[0] ?? '';
}

function diagnoseText(
  text: string,
  offset: number,
  fault: { readonly kind: string; readonly start: number },
): Diagnosis {
  const opened = describePlace(text, fault.start);
  if (fault.kind === 'escape') {
    const shown = quote(text.slice(offset, offset + 2))
      .slice(1, -1)
      .replace('\\\\', '\\');
    return { cause: `"${shown}" is not an escape of JSON`, suggestion: 'Write \\\\ for a backslash.' };
  }
  if (fault.kind === 'control' && text[offset] === '\t') {
    return { cause: 'the text holds a tab', suggestion: 'Write \\t for a tab.' };
  }
  if (fault.kind === 'control' && text[offset] !== '\n' && text[offset] !== '\r') {
    const name = text.charCodeAt(offset).toString(16).toUpperCase().padStart(4, '0');
    return { cause: `the text holds the control character U+${name}` };
  }
  return {
    cause: `the text that starts at ${opened} is not closed on its line`,
    suggestion: 'Add the missing " at its end; a line break inside a text is written \\n.',
  };
}

function diagnose(syntax: Syntax, offset: number): Diagnosis {
  const token = tokenAt(syntax.text, offset);
  if (/^(?:\/[/*]|#)/.test(token)) {
    return { cause: 'JSON has no comments', suggestion: syntax.subject.commentRemedy };
  }
  if (token === "'")
    return { cause: 'texts and keys stand in double quotes, not single ones', suggestion: 'Write " instead.' };
  switch (syntax.expected) {
    case 'key':
    case 'first-key':
      return diagnoseKey(syntax, token);
    case 'colon':
      return {
        cause: `a colon is missing after the key ${quote(syntax.key ?? '')}`,
        suggestion: `Write ${quote(syntax.key ?? '')}: before the value.`,
      };
    case 'separator':
      return diagnoseSeparator(syntax, token);
    default:
      return diagnoseValue(syntax, token);
  }
}

function diagnoseKey(syntax: Syntax, token: string): Diagnosis {
  if (token === '}' && syntax.expected === 'key') {
    return { cause: 'the comma before "}" is one too many', suggestion: 'Remove the comma.' };
  }
  const bare = /^[\w$][\w$-]*/.exec(token)?.[0];
  if (bare !== undefined) {
    return { cause: `the key ${bare} does not stand in double quotes`, suggestion: `Write "${bare}".` };
  }
  return { cause: `a key in double quotes is expected, not ${quoteToken(token)}` };
}

function diagnoseSeparator(syntax: Syntax, token: string): Diagnosis {
  if (syntax.openedAt === undefined)
    return {
      cause: `nothing may follow the ${syntax.subject.noun}, but ${quoteToken(token)} does`,
      suggestion: 'Remove what follows.',
    };
  const bracket = syntax.text[syntax.openedAt] ?? '';
  if (token === '}' || token === ']') {
    return {
      cause: `"${token}" does not close the "${bracket}" of ${describePlace(syntax.text, syntax.openedAt)}`,
      suggestion: `Write "${CLOSING[bracket]}" first.`,
    };
  }
  if (token === ':' && syntax.isList)
    return { cause: 'a list has no keys', suggestion: 'Use { and } for keys with values.' };
  return { cause: `a comma is missing before ${quoteToken(token)}`, suggestion: 'Write a comma between two entries.' };
}

function quoteToken(token: string): string {
  return quote(token.length > 1 && token.startsWith('"') ? token.slice(1) : token);
}

function diagnoseValue(syntax: Syntax, token: string): Diagnosis {
  if (token === ']' && syntax.isList)
    return { cause: 'the comma before "]" is one too many', suggestion: 'Remove the comma.' };
  if (/^(?:true|false|none|null|nil|undefined|yes|no|on|off)$/i.test(token)) {
    return {
      cause: `${quote(token)} is not a value of JSON`,
      suggestion: 'JSON writes true, false and null, and text in double quotes.',
    };
  }
  if (/^[+.]?[0-9]/.test(token) || /^[+-]?(?:nan|inf)/i.test(token)) {
    return { cause: `${quote(token)} is not a number as JSON writes it`, suggestion: NUMBER_RULE };
  }
  if (/^[A-Za-z_/~.$]/.test(token)) {
    return {
      cause: `the text ${quote(token)} does not stand in double quotes`,
      suggestion: 'Put the text in double quotes.',
    };
  }
  const place = syntax.key === undefined ? '' : ` for the key ${quote(syntax.key)}`;
  return { cause: `a value is expected${syntax.isList ? '' : place}, not ${quote(token)}` };
}
