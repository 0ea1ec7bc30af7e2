import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { Visit } from './internet-sites.ts';

/** What repositories below a directory want to be told: the user and the password, as HTTP's Basic has them. */
export const LOGIN_FILE = 'login';

/**
 * `/git/<repository>/…`: repositories of the directory `git`, to read and to write, as git's own server serves them. Those
 * of a directory with a {@link LOGIN_FILE} are for whoever knows what stands there. `/git/moved/…` leads to another host,
 * `/git/telling/…` tells everything that it was sent, `/git/closed/…` is for nobody.
 */
export function serveGit(visit: Visit): void {
  const { request, arrival, web } = visit;
  const [, , directory = ''] = new URL(arrival.target, 'http://any').pathname.split('/');
  const login = join(web.root, 'git', directory, LOGIN_FILE);
  const authorization = String(request.headers.authorization ?? '');
  if (directory === 'moved') leadAway(visit);
  else if (directory === 'telling') tellAll(visit, authorization);
  else if (directory === 'closed' || (existsSync(login) && authorization !== basic(readFileSync(login, 'utf8'))))
    askWho(visit);
  else if (arrival.target.includes('/info/lfs/')) serveLargeFiles(visit);
  else serveRepository(visit);
}

/** Value of the field that tells this user and password. */
export function basic(login: string): string {
  return `Basic ${Buffer.from(login).toString('base64')}`;
}

function askWho({ response }: Visit): void {
  response.statusCode = 401;
  response.setHeader('www-authenticate', 'Basic realm="git"');
  response.end('Who are you?\n');
}

function leadAway({ response, arrival }: Visit): void {
  response.statusCode = 302;
  response.setHeader('location', `https://evil.example.net${arrival.target.replace('/git/moved', '/git')}`);
  response.end();
}

function tellAll({ response }: Visit, authorization: string): void {
  const value = authorization.replace(/^Basic /, '');
  const login = Buffer.from(value, 'base64').toString();
  response.statusCode = 500;
  response.setHeader('x-told', authorization);
  response.setHeader('content-type', 'text/plain');
  response.end(`${authorization}\n${login}\n${encodeURIComponent(login)}\n${JSON.stringify({ login, value })}\n`);
}

/** The paths of git-lfs: what is asked for is there, and what is sent is taken. */
function serveLargeFiles({ request, response, path }: Visit): void {
  const size = { bytes: 0 };
  (request as Readable).on('data', (chunk: Buffer) => {
    size.bytes += chunk.length;
  });
  (request as Readable).on('end', () => {
    response.setHeader('content-type', 'application/vnd.git-lfs+json');
    response.end(JSON.stringify({ path, ...size }));
  });
}

function serveRepository({ request, response, arrival, web }: Visit): void {
  const url = new URL(arrival.target, 'http://any');
  const header = (name: string): string => String(request.headers[name] ?? '');
  const child = spawn('git', ['http-backend'], {
    env: {
      ...process.env,
      ...{ GIT_PROJECT_ROOT: join(web.root, 'git'), GIT_HTTP_EXPORT_ALL: '1', REMOTE_USER: 'anybody' },
      ...{ PATH_INFO: url.pathname.slice('/git'.length), QUERY_STRING: url.search.slice(1) },
      ...{ REQUEST_METHOD: arrival.method, CONTENT_TYPE: header('content-type') },
      ...{ HTTP_CONTENT_ENCODING: header('content-encoding'), GIT_PROTOCOL: header('git-protocol') },
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.on('error', () => undefined);
  (request as Readable).pipe(child.stdin);
  passAnswer(child.stdout, response);
}

/** The answer of a CGI program (RFC 3875, section 6): fields, an empty line, the body. */
function passAnswer(output: Readable, response: Visit['response']): void {
  let held: Buffer | null = Buffer.alloc(0);
  output.on('data', (chunk: Buffer) => {
    const stream = response as unknown as Writable;
    if (held === null) {
      stream.write(chunk);
      return;
    }
    held = Buffer.concat([held, chunk]);
    const end = held.indexOf('\r\n\r\n');
    if (end === -1) return;
    for (const line of held.toString('latin1', 0, end).split('\r\n')) {
      const [name = '', value = ''] = line.split(': ');
      if (name === 'Status') response.statusCode = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    stream.write(held.subarray(end + 4));
    held = null;
  });
  output.on('end', () => response.end());
}
