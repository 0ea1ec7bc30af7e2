import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { succeed } from './agents.ts';
import { runCommand } from './commands.ts';

/** Names and addresses the one certificate of the pretend internet is for. */
const SUBJECTS = [
  ...['DNS:example.com', 'DNS:*.example.com', 'DNS:example.net', 'DNS:*.example.net', 'DNS:*.example.org'],
  ...['IP:11.0.0.7', 'IP:2a00:0:0:1::7'],
];

/** A certification authority made for one suite. */
export interface Certificates {
  /** Path of the authority's own certificate. */
  readonly authority: string;
  readonly key: string;
  readonly certificate: string;
}

/** Makes an authority and a certificate that it signed, in this directory. */
export async function makeCertificates(directory: string): Promise<Certificates> {
  const [authority, key, certificate] = ['ca.pem', 'web.key', 'web.pem'].map((name) => join(directory, name));
  if (authority === undefined || key === undefined || certificate === undefined) throw new Error('unreachable');
  const authorityKey = join(directory, 'ca.key');
  const extensions = join(directory, 'web.ext');
  writeFileSync(extensions, `subjectAltName=${SUBJECTS.join(',')}\nbasicConstraints=CA:FALSE\n`);
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const root = ['-x509', '-days', '2', '-subj', '/CN=test authority', '-keyout', authorityKey, '-out', authority];
  await succeed(runCommand(['openssl', 'req', ...curve, ...root]));
  const request = join(directory, 'web.csr');
  await succeed(runCommand(['openssl', 'req', ...curve, '-subj', '/CN=example.com', '-keyout', key, '-out', request]));
  const signer = ['-CA', authority, '-CAkey', authorityKey, '-CAcreateserial', '-extfile', extensions];
  await succeed(runCommand(['openssl', 'x509', '-req', '-in', request, '-days', '2', ...signer, '-out', certificate]));
  return { authority, key: readFileSync(key, 'utf8'), certificate: readFileSync(certificate, 'utf8') };
}
