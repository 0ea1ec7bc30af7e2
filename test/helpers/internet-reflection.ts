import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Visit } from './internet-sites.ts';

/** Ways of telling a text in ASCII without writing it as it is. */
const DISGUISES: Readonly<Record<string, (key: string) => string>> = {
  plain: (key) => key,
  base64: (key) => Buffer.from(key).toString('base64'),
  'base64-1': (key) => Buffer.from(`a${key}bc`).toString('base64'),
  'base64-2': (key) => Buffer.from(`ab${key}c`).toString('base64'),
  base64url: (key) => Buffer.from(`ab${key}`).toString('base64url'),
  percent: (key) => encodeURIComponent(key),
  'percent-lower': (key) => encodeURIComponent(key).replace(/%../g, (octet) => octet.toLowerCase()),
  form: (key) => new URLSearchParams({ key }).toString(),
  json: (key) => JSON.stringify({ key }),
  'json-twice': (key) => JSON.stringify({ text: JSON.stringify({ key }) }),
};

/**
 * `/reflect/<where>/<how>`: tells the credential of the request, as a careless server might: in the body (`body`,
 * `bytes` in chunks of one byte, `halves`, `trailer`, `late` in a stream), in the head (`field`, `phrase`, `location`) or
 * in an encoding that nobody asked for (`gzip`, `named-identity`).
 */
export function serveReflection({ response, request, path }: Visit): void {
  const [, , where = '', how = 'plain'] = path.split('/');
  const given = String(request.headers['x-api-key'] ?? request.headers.authorization ?? '');
  const told = DISGUISES[how]?.(given.replace(/^\w+ /, '')) ?? '';
  request.resume();
  request.on('end', () => reflect(response as ServerResponse, where, told));
}

function reflect(response: ServerResponse, where: string, told: string): void {
  const text = `before ${told} after`;
  switch (where) {
    case 'body':
      response.end(text);
      return;
    case 'bytes':
      sendPieces(response, [...text]);
      return;
    case 'halves':
      sendPieces(response, [text.slice(0, text.length / 2), text.slice(text.length / 2)]);
      return;
    case 'late':
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      sendPieces(response, [`data: ${text.slice(0, 20)}`, text.slice(20), '\n\n', 'data: end\n\n']);
      return;
    case 'trailer':
      response.writeHead(200, { trailer: 'x-told' });
      response.write('before');
      response.addTrailers({ 'x-told': told });
      response.end();
      return;
    case 'field':
      response.setHeader('x-told', text);
      response.setHeader('www-authenticate', `Bearer realm="${told.replace(/["\\]/g, '\\$&')}"`);
      response.setHeader('set-cookie', `session=${encodeURIComponent(told)}`);
      response.end('ok');
      return;
    case 'phrase':
      response.writeHead(401, `not ${told}`);
      response.end('ok');
      return;
    case 'location':
      response.writeHead(302, { location: `/told?key=${told}` });
      response.end();
      return;
    case 'gzip':
      response.setHeader('content-encoding', 'gzip');
      response.end(gzipSync(text));
      return;
    default:
      response.setHeader('content-encoding', 'identity');
      response.end(text);
  }
}

/** Writes pieces each of which is on the wire before the next one is. */
function sendPieces(response: ServerResponse, pieces: readonly string[]): void {
  const [piece, ...more] = pieces;
  if (piece === undefined) response.end();
  else response.write(piece, () => setImmediate(() => sendPieces(response, more)));
}
