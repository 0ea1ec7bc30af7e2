import type { IncomingMessage } from 'node:http';
import { SpawnError } from '../base/errors.ts';
import { REQUEST_BYTES_MAX } from '../base/limits.ts';
import { pointerTo } from '../base/pointer.ts';
import type { Problem } from '../base/result.ts';
import type { EgressChange, LaunchRequest } from '../control/operations.ts';
import * as checks from './request-checks.gen.ts';

/** What a generated check leaves behind when it refuses (the error objects of ajv). */
interface Violation {
  readonly instancePath: string;
  readonly keyword: string;
  readonly message?: string;
  readonly params: { readonly additionalProperty?: string; readonly allowedValues?: readonly unknown[] };
}

/** A generated check; `errors` belongs to its last call. */
interface Check {
  (value: unknown): boolean;
  errors?: readonly Violation[] | null;
}

const isLaunchRequest = checks.isLaunchRequest as Check;
const isEgressChange = checks.isEgressChange as Check;

/**
 * Checks the header of a request that has a body.
 * Throws `control.wrong-media-type`, or `control.too-large` before anything of it was read.
 */
export function checkBodyHeader(request: IncomingMessage, mediaType: string): void {
  const [given = ''] = (request.headers['content-type'] ?? '').split(';');
  if (given.trim().toLowerCase() !== mediaType) {
    throw new SpawnError('control.wrong-media-type', `The body must be ${mediaType}, not "${given.trim()}".`);
  }
  if (Number(request.headers['content-length'] ?? 0) > REQUEST_BYTES_MAX) throw tooLarge();
}

/** Throws `control.bad-request` when a request that has none brings a body. */
export function checkNoBody(request: IncomingMessage): void {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (encoding !== undefined || (length !== undefined && Number(length) !== 0)) {
    throw new SpawnError('control.bad-request', 'This request takes no body.');
  }
}

/** Reads a body of at most REQUEST_BYTES_MAX bytes. Throws `control.too-large` as soon as it is longer. */
export async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Its own listeners, not iteration: that would destroy the connection, and the refusal could not be sent.
  await new Promise<void>((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > REQUEST_BYTES_MAX) reject(tooLarge());
      else chunks.push(chunk);
    });
    request.on('end', resolve);
    request.on('close', () => reject(new SpawnError('control.bad-request', 'The request ended in its middle.')));
    request.on('error', reject);
  });
  return Buffer.concat(chunks);
}

/** A start by card from its JSON text. Throws `control.bad-request` with every deviation from the description. */
export function parseLaunchRequest(body: Uint8Array): LaunchRequest {
  return checked(body, isLaunchRequest) as LaunchRequest;
}

/** A change of an agent's rules from its JSON text. Throws as {@link parseLaunchRequest}. */
export function parseEgressChange(body: Uint8Array): EgressChange {
  return checked(body, isEgressChange) as EgressChange;
}

function checked(body: Uint8Array, check: Check): unknown {
  const value = parseJson(body);
  if (check(value)) return value;
  const problems = (check.errors ?? []).map(asProblem);
  throw new SpawnError('control.bad-request', 'The body does not follow the description of the API.', { problems });
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new SpawnError('control.bad-request', 'The body is not JSON in UTF-8.', { cause });
  }
}

function asProblem({ instancePath, keyword, message = keyword, params }: Violation): Problem {
  const { additionalProperty, allowedValues } = params;
  const isUnknownKey = additionalProperty !== undefined;
  const values = allowedValues === undefined ? '' : `: ${allowedValues.join(', ')}`;
  return {
    code: 'control.bad-request',
    pointer: isUnknownKey ? pointerTo(instancePath, additionalProperty) : instancePath,
    message: isUnknownKey ? 'Is not a key the API knows.' : `${message[0]?.toUpperCase()}${message.slice(1)}${values}.`,
  };
}

function tooLarge(): SpawnError {
  return new SpawnError('control.too-large', `The body is larger than ${REQUEST_BYTES_MAX} bytes.`);
}
