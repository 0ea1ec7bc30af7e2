import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { Visit } from './internet-sites.ts';

/** `/git/<repository>/…`: repositories of the directory `git`, to read and to write, as git's own server serves them. */
export function serveGit({ request, response, arrival, web }: Visit): void {
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
