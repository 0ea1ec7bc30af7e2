import type { Writable } from 'node:stream';
import type { HttpArrival } from './internet-arrival.ts';
import { serveGit } from './internet-git.ts';
import { servePackages } from './internet-packages.ts';
import { serveReflection } from './internet-reflection.ts';
import type { Web, WebRequest, WebResponse } from './internet-web.ts';

/** One request to a site. */
export interface Visit {
  readonly request: WebRequest;
  readonly response: WebResponse;
  readonly path: string;
  readonly arrival: HttpArrival;
  readonly web: Web;
}

const BLOCK = Buffer.alloc(64 * 1024, 'x');

/** What the web servers of the pretend internet serve besides telling the request, by the beginning of the path. */
export const SITES: readonly (readonly [prefix: string, site: (visit: Visit) => void])[] = [
  ['/bytes/', serveBytes],
  ['/git/', serveGit],
  ['/packages/', servePackages],
  ['/redirect', serveRedirect],
  ['/reflect/', serveReflection],
  ['/status/', serveStatus],
  ['/stream/', serveStream],
];

/** `/bytes/<n>`: so many bytes. */
function serveBytes({ response, path }: Visit): void {
  let left = Number(path.slice('/bytes/'.length));
  response.setHeader('content-length', left);
  const stream = response as unknown as Writable;
  const fill = (): void => {
    while (left > 0) {
      const block = BLOCK.subarray(0, Math.min(left, BLOCK.length));
      left -= block.length;
      if (!stream.write(block)) return;
    }
    stream.end();
  };
  stream.on('drain', fill);
  fill();
}

/** `/redirect?to=<url>`: 302 to there. */
function serveRedirect({ response, arrival }: Visit): void {
  const to = new URL(arrival.target, 'http://any').searchParams.get('to') ?? '/';
  response.statusCode = 302;
  response.setHeader('location', to);
  response.end();
}

/** `/status/<n>`: that status and no body. */
function serveStatus({ response, path }: Visit): void {
  response.statusCode = Number(path.slice('/status/'.length));
  response.end();
}

/** `/stream/<name>`: server-sent events that the test pushes. */
function serveStream({ response, path, web }: Visit): void {
  response.setHeader('content-type', 'text/event-stream');
  if ('flushHeaders' in response) response.flushHeaders();
  web.streams.add(path.slice('/stream/'.length), response as unknown as Writable);
}
