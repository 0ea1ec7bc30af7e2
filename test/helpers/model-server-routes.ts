import type { ModelFormat } from './model-server-wire.ts';

/** What a path of a model server is about. */
export interface ModelRoute {
  readonly format: ModelFormat;
  readonly does: 'answer' | 'count' | 'list';
}

/** Beginnings of paths are left open: gateways of companies have their own. */
const ROUTES: readonly (readonly [method: string, path: RegExp, route: ModelRoute])[] = [
  ['POST', /\/v1\/messages$/, { format: 'anthropic', does: 'answer' }],
  ['POST', /\/v1\/messages\/count_tokens$/, { format: 'anthropic', does: 'count' }],
  ['POST', /\/chat\/completions$/, { format: 'openai-chat', does: 'answer' }],
  ['POST', /\/responses$/, { format: 'openai-responses', does: 'answer' }],
  ['GET', /\/v1\/models$/, { format: 'openai-chat', does: 'list' }],
  ['POST', /\/v1(beta)?\/models\/[^/]+:(stream)?[gG]enerateContent$/, { format: 'google', does: 'answer' }],
  ['POST', /\/v1(beta)?\/models\/[^/]+:countTokens$/, { format: 'google', does: 'count' }],
  ['GET', /\/v1beta\/models$/, { format: 'google', does: 'list' }],
];

/** The route of a request, or null for none. */
export function routeOf(method: string, path: string): ModelRoute | null {
  return ROUTES.find(([verb, pattern]) => verb === method && pattern.test(path))?.[2] ?? null;
}

/** The field of each format that carries the key. */
const FIELDS: Readonly<Record<ModelFormat, readonly [name: string, word: string]>> = {
  anthropic: ['x-api-key', ''],
  'openai-chat': ['authorization', 'Bearer '],
  'openai-responses': ['authorization', 'Bearer '],
  google: ['x-goog-api-key', ''],
};

/** The key in the one field where this format looks for it; null when there is none. */
export function keyIn(format: ModelFormat, headers: Readonly<Record<string, unknown>>): string | null {
  const [name, word] = FIELDS[format];
  const value = headers[name];
  return typeof value === 'string' && value.startsWith(word) ? value.slice(word.length) : null;
}

/** An error as each format words it. The text of a refused key never repeats the key. */
export function errorOf(format: ModelFormat, status: number, message: string): unknown {
  if (format === 'anthropic') {
    const type = status === 401 ? 'authentication_error' : 'invalid_request_error';
    return { type: 'error', error: { type, message } };
  }
  if (format === 'google') {
    return { error: { code: status, message, status: status === 401 ? 'UNAUTHENTICATED' : 'INVALID_ARGUMENT' } };
  }
  const code = status === 401 ? 'invalid_api_key' : null;
  return { error: { message, type: 'invalid_request_error', param: null, code } };
}
