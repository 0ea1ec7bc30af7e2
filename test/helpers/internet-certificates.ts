import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { succeed } from './agents.ts';
import { runCommand } from './commands.ts';

/** Names and addresses that the usual certificate of the pretend internet is for. */
const SUBJECTS = [
  ...['DNS:example.com', 'DNS:*.example.com', 'DNS:example.net', 'DNS:*.example.net', 'DNS:*.example.org'],
  ...['DNS:api.anthropic.com', 'DNS:api.openai.com', 'DNS:generativelanguage.googleapis.com'],
  ...['IP:11.0.0.7', 'IP:2a00:0:0:1::7'],
];

/** What is wrong with the certificate that a server shows to whoever asks for this name. */
export const BAD_CERTIFICATES = {
  'expired.example.com': 'it was for one day, which was the day before',
  'stranger.example.com': 'an authority that nobody knows signed it',
  'elsewhere.example.com': 'it is for another name',
  'own.example.com': 'it signed itself',
} as const satisfies Readonly<Record<string, string>>;

const [EXPIRED, STRANGER, ELSEWHERE, OWN] = Object.keys(BAD_CERTIFICATES) as [string, string, string, string];

/** A key and a certificate, as text. */
export interface KeyPair {
  readonly key: string;
  readonly certificate: string;
}

/** Certification authorities made for one suite, and what they signed. */
export interface Certificates extends KeyPair {
  /** Path of the authority's own certificate. */
  readonly authority: string;
  /** What is shown for names of {@link BAD_CERTIFICATES}. */
  readonly bad: Readonly<Record<string, KeyPair>>;
}

/** An authority, or a name that is its own. */
interface Signer {
  readonly certificate: string;
  readonly key: string;
}

/** Makes an authority and a certificate that it signed, and others that nobody should take, in this directory. */
export async function makeCertificates(directory: string): Promise<Certificates> {
  const authority = await makeAuthority(directory, 'ca');
  const stranger = await makeAuthority(directory, 'stranger-ca');
  const own = await makeAuthority(directory, 'own', OWN);
  const bad = {
    [EXPIRED]: await sign(directory, { name: 'expired', signer: authority, subjects: [`DNS:${EXPIRED}`], days: -1 }),
    [STRANGER]: await sign(directory, { name: 'stranger', signer: stranger, subjects: [`DNS:${STRANGER}`], days: 2 }),
    [ELSEWHERE]: await sign(directory, {
      name: 'elsewhere',
      signer: authority,
      subjects: ['DNS:example.org'],
      days: 2,
    }),
    [OWN]: read(own),
  };
  const usual = await sign(directory, { name: 'web', signer: authority, subjects: SUBJECTS, days: 2 });
  return { authority: authority.certificate, ...usual, bad };
}

/** Makes an authority; with a name it may show its certificate itself. */
async function makeAuthority(directory: string, name: string, subject: string | null = null): Promise<Signer> {
  const [key, certificate] = [join(directory, `${name}.key`), join(directory, `${name}.pem`)];
  const named = subject === null ? [] : ['-addext', `subjectAltName=DNS:${subject}`];
  const root = ['-x509', '-days', '2', '-subj', `/CN=${subject ?? 'test authority'}`, ...named];
  await succeed(runCommand(['openssl', 'req', ...CURVE, ...root, '-keyout', key, '-out', certificate]));
  return { key, certificate };
}

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** What a certificate is made of; less than no days make one that is over. */
interface Order {
  readonly name: string;
  readonly signer: Signer;
  readonly subjects: readonly string[];
  readonly days: number;
}

async function sign(directory: string, { name, signer, subjects, days }: Order): Promise<KeyPair> {
  const at = (ending: string): string => join(directory, `${name}.${ending}`);
  const pair = { key: at('key'), certificate: at('pem') };
  writeFileSync(at('ext'), `subjectAltName=${subjects.join(',')}\nbasicConstraints=CA:FALSE\n`);
  const request = ['-subj', '/CN=example.com', '-keyout', pair.key, '-out', at('csr')];
  await succeed(runCommand(['openssl', 'req', ...CURVE, ...request]));
  const by = ['-CA', signer.certificate, '-CAkey', signer.key, '-CAcreateserial', '-extfile', at('ext')];
  const made = ['-in', at('csr'), '-days', String(days), ...by, '-out', pair.certificate];
  await succeed(runCommand(['openssl', 'x509', '-req', ...made]));
  return read(pair);
}

function read({ key, certificate }: Signer): KeyPair {
  return { key: readFileSync(key, 'utf8'), certificate: readFileSync(certificate, 'utf8') };
}
