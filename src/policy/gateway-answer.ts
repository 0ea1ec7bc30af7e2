import { authorityText } from './authority.ts';
import { baseDestination, basePath, isOfBase } from './gateway-path.ts';
import { readPath } from './request-path.ts';
import type { Gateway } from './table.ts';

/** Where the answer to a redirect leads. */
export interface Redirect {
  /** Value of the Location field. */
  readonly location: string;
  /** Path of the request at the API. */
  readonly path: string;
}

/**
 * The place at the proxy that a redirect of an API stands for; null for one that leads to another origin or out of the
 * base URL, and for what is no URL.
 */
export function redirectAtProxy(gateway: Gateway, { location, path }: Redirect): string | null {
  const { provider, mount, base } = gateway;
  const origin = `${base.scheme}://${authorityText({ destination: baseDestination(base), port: base.port })}`;
  if (!URL.canParse(location, `${origin}${path}`)) return null;
  const to = new URL(location, `${origin}${path}`);
  if (to.origin !== new URL(origin).origin || to.username !== '' || to.password !== '') return null;
  const read = readPath(to.pathname);
  if (read === null || !isOfBase(gateway, read.judged)) return null;
  const rest = provider === 'git' ? read.judged : read.judged.slice(basePath(base).length);
  return `${mount}${rest}${to.search}${to.hash}`;
}

/** Whether an answer is in a form that can be looked into: its bytes are its contents. */
export function isReadable(codings: {
  readonly contentEncoding: string | undefined;
  readonly transferEncoding: string | undefined;
}): boolean {
  const contents = listed(codings.contentEncoding).filter((coding) => coding !== 'identity');
  const transfers = listed(codings.transferEncoding);
  return contents.length === 0 && transfers.every((coding) => coding === 'chunked');
}

function listed(value: string | undefined): readonly string[] {
  return (value ?? '')
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '');
}
