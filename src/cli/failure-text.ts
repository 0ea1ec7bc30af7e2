import { ERRORS, SpawnError } from '../base/errors.ts';
import type { Problem } from '../base/result.ts';
import { escapeLines, escapeText } from './escape.ts';

/** A failure as one block for people; `program` begins it, as error messages of commands do. */
export function failureText(program: string, error: unknown): string {
  if (!(error instanceof SpawnError)) return bugText(program, error);
  const { problems, remedy } = error;
  const lines = [`${program}: ${headline(error)}`];
  for (const problem of problems) lines.push(...problemLines(problem));
  if (remedy !== undefined)
    lines.push(
      ...escapeLines(remedy)
        .split('\n')
        .map((line) => `  ${line}`),
    );
  return `${lines.join('\n')}\n`;
}

/** A failure as one JSON object, the same as the API's. */
export function failureJson(error: unknown): string {
  const failure =
    error instanceof SpawnError ? error : new SpawnError('control.internal', String((error as Error)?.stack ?? error));
  const { http, summary } = ERRORS[failure.code];
  const { code, message: detail, remedy, problems } = failure;
  const document = {
    type: `urn:agent-spawn:problem:${code}`,
    title: summary,
    status: http,
    code,
    detail,
    remedy,
    problems,
  };
  return `${JSON.stringify(document)}\n`;
}

/** The message, without a problem in it that is listed below anyway. */
function headline({ message, problems }: SpawnError): string {
  const [first] = problems;
  const at = first === undefined ? -1 : message.indexOf(first.message);
  const subject = message.slice(0, Math.max(0, at)).replace(/: $/, '');
  if (subject === '') return escapeLines(message);
  return `${escapeLines(subject)}: refused, ${problems.length === 1 ? '1 problem' : `${problems.length} problems`}`;
}

function problemLines({ pointer, message, code, suggestion }: Problem): readonly string[] {
  const line = `  ${pointer === '' ? '' : `${escapeText(pointer)}: `}${escapeText(message)} (${code})`;
  return suggestion === undefined ? [line] : [line, `    ${escapeText(suggestion)}`];
}

function bugText(program: string, error: unknown): string {
  return `${program}: this is a bug in ${program}:\n${escapeLines(String((error as Error)?.stack ?? error))}\n`;
}
