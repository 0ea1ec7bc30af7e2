import type { IncomingMessage } from 'node:http';
import type { Decision } from '../policy/decision.ts';
import { type RawFields, responseFields } from '../policy/forward-head.ts';

/** Looks into one request and its answer while they pass. */
export interface Inspection {
  /** Null when nobody looks at the body of the request. */
  readonly body: BodyInspection | null;
  /** Reads the head of the answer; a decision when the answer is not for the agent. */
  answer(response: IncomingMessage): AnswerInspection | Decision;
}

/** Looks at the body of a request, piece by piece. */
export interface BodyInspection {
  /** What may be sent so far, or a decision when it must not go on. */
  add(bytes: Uint8Array): Uint8Array | Decision;
  /** What was held back, once the body is complete. */
  end(): Uint8Array;
}

/** An answer as the client gets it. Bodies keep their length. */
export interface AnswerInspection {
  readonly phrase: string;
  /** Without those of the connection. */
  readonly fields: RawFields;
  /** What the client gets so far. */
  add(bytes: Buffer): Buffer;
  /** What was held back, once the answer is complete. */
  end(): Buffer;
}

const NOTHING = Buffer.alloc(0);

/** Looks at nothing. */
export const PLAIN: Inspection = { body: null, answer: plainAnswer };

function plainAnswer(response: IncomingMessage): AnswerInspection {
  return {
    phrase: response.statusMessage ?? '',
    fields: responseFields(response.rawHeaders),
    add: (bytes) => bytes,
    end: () => NOTHING,
  };
}
