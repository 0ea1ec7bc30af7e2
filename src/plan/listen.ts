/** Where the host listens for a published port. Addresses are canonical: dotted decimal, or RFC 5952 without brackets. */
export type Listen =
  | { readonly kind: 'tcp'; readonly family: 4 | 6; readonly address: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Addresses that stand for every address of their family. */
const WILDCARDS = ['0.0.0.0', '::'];

/** Reads `ADDRESS:PORT`, `[ADDRESS]:PORT` or an absolute path; null for anything else. */
export function parseListen(text: string): Listen | null {
  if (text.startsWith('/')) return { kind: 'unix', path: text };
  const match = /^(?:(?<v4>[0-9.]+)|\[(?<v6>[0-9A-Fa-f:.]+)\]):(?<port>[0-9]{1,5})$/.exec(text);
  const { v4, v6, port = '' } = match?.groups ?? {};
  const address = v4 === undefined ? canonical(`[${v6 ?? ''}]`)?.slice(1, -1) : canonical(v4);
  if (match === null || address === undefined || Number(port) < 1 || Number(port) > 65_535) return null;
  return { kind: 'tcp', family: v4 === undefined ? 6 : 4, address, port: Number(port) };
}

/** The form in which {@link parseListen} takes it, and systemd's ListenStream= too. */
export function listenText(listen: Listen): string {
  if (listen.kind === 'unix') return listen.path;
  return listen.family === 6 ? `[${listen.address}]:${listen.port}` : `${listen.address}:${listen.port}`;
}

/** Whether only programs of this host can connect. */
export function isLoopback(listen: Listen): boolean {
  if (listen.kind === 'unix') return true;
  return listen.family === 4 ? listen.address.startsWith('127.') : listen.address === '::1';
}

/** Whether two listeners cannot exist at once. */
export function overlaps(a: Listen, b: Listen): boolean {
  if (a.kind === 'unix' || b.kind === 'unix') return a.kind === 'unix' && b.kind === 'unix' && a.path === b.path;
  if (a.family !== b.family || a.port !== b.port) return false;
  return a.address === b.address || WILDCARDS.includes(a.address) || WILDCARDS.includes(b.address);
}

/** An address as URLs write it, which is the canonical form; undefined for what is none, or is none as it stands. */
function canonical(host: string): string | undefined {
  if (!URL.canParse(`http://${host}/`)) return undefined;
  const { hostname } = new URL(`http://${host}/`);
  return host.startsWith('[') || hostname === host ? hostname : undefined;
}
