import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Visit } from './internet-sites.ts';

/**
 * `/packages/…`: files of the directory `packages`. A name without a dot is a package of npm, whose one version is in
 * `<name>-1.0.0.tgz`; `/packages/simple/<name>/` is the page of pip for the wheels of that name (PEP 503).
 */
export function servePackages({ response, path, web, arrival }: Visit): void {
  const directory = join(web.root, 'packages');
  const [name = '', wheels = ''] = path.slice('/packages/'.length).split('/');
  if (name === 'simple') {
    response.setHeader('content-type', 'text/html');
    response.end(`<a href="/packages/${wheels}-1.0.0-py3-none-any.whl">${wheels}-1.0.0-py3-none-any.whl</a>`);
    return;
  }
  const file = join(directory, name.includes('.') ? name : `${name}-1.0.0.tgz`);
  if (!existsSync(file)) {
    response.statusCode = 404;
    response.end();
    return;
  }
  const content = readFileSync(file);
  if (name.includes('.')) {
    response.setHeader('content-type', 'application/octet-stream');
    response.end(content);
    return;
  }
  const integrity = `sha512-${createHash('sha512').update(content).digest('base64')}`;
  const dist = { tarball: `https://${arrival.host}/packages/${name}-1.0.0.tgz`, integrity };
  response.setHeader('content-type', 'application/json');
  response.end(
    JSON.stringify({
      name,
      'dist-tags': { latest: '1.0.0' },
      versions: { '1.0.0': { name, version: '1.0.0', dist } },
    }),
  );
}
