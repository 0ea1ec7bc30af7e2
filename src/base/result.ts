import type { ErrorCode } from './errors.ts';

/** One thing that is wrong with an input, addressed so that its author finds it. */
export interface Problem {
  /** Stable code from the error table, for example `card.unknown-key`. */
  readonly code: ErrorCode;
  /** RFC 6901 pointer into the input; the empty string is the whole document. */
  readonly pointer: string;
  /** One sentence that names the cause. */
  readonly message: string;
  /** What to write instead, when that is known. */
  readonly suggestion?: string;
}

/** An expected outcome of a parser: a value, or every problem found, never both. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** A successful result. */
export function ok<T>(value: T): Result<T> {
  return { ok: true, value };
}

/** A refusal; `problems` holds at least one entry. */
export function refused(problems: readonly Problem[]): Result<never> {
  return { ok: false, problems };
}
