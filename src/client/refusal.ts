import { ERRORS, type ErrorCode, SpawnError } from '../base/errors.ts';
import type { Problem } from '../base/result.ts';
import type { InputProblem, ProblemDocument } from './api.gen.ts';

/** A refusal of the daemon as the error it was there. A code this version does not know becomes `control.internal`. */
export function refusalError(document: ProblemDocument): SpawnError {
  return new SpawnError(knownCode(document.code), document.detail, {
    ...(document.remedy === undefined ? {} : { remedy: document.remedy }),
    problems: document.problems.map(asProblem),
  });
}

function asProblem({ code, ...rest }: InputProblem): Problem {
  return { code: knownCode(code), ...rest };
}

function knownCode(code: string): ErrorCode {
  return Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'control.internal';
}
