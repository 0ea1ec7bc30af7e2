import { ERRORS, SpawnError } from '../base/errors.ts';
import type { Problem } from '../base/result.ts';

/** Problem details as RFC 9457 has them, with our stable code and what is wrong with the input. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly remedy?: string;
  readonly problems: readonly Problem[];
}

/** Media type of a problem document. */
export const PROBLEM_TYPE: string = 'application/problem+json';

/** A failure as callers may see it: a `SpawnError` as it is, anything else without its details. */
export function problemDocument(error: unknown): ProblemDocument {
  const failure = error instanceof SpawnError ? error : hidden();
  const { http, summary } = ERRORS[failure.code];
  return {
    type: `urn:agent-spawn:problem:${failure.code}`,
    title: summary,
    status: http,
    code: failure.code,
    detail: failure.message,
    ...(failure.remedy === undefined ? {} : { remedy: failure.remedy }),
    problems: failure.problems,
  };
}

/** Whether a failure is one the program expects, so that nobody needs to look into it. */
export function isExpected(error: unknown): boolean {
  return error instanceof SpawnError && error.code !== 'control.internal';
}

function hidden(): SpawnError {
  return new SpawnError('control.internal', 'The daemon failed in a way it does not expect.', {
    remedy: 'journalctl -u agent-spawnd',
  });
}
