import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';

/** Whom this machine takes a server's certificate from. */
export interface TrustStore {
  /** The settings of a connection, with the authorities as they are now. Throws what the system throws when they cannot be read. */
  context(): SecureContext;
}

/** Where distributions keep the authorities that the machine trusts, in one file (the list of Go's crypto/x509, root_linux.go). */
const BUNDLES: readonly string[] = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** A context, and what its file was like when it was made. */
interface Made {
  readonly context: SecureContext;
  readonly version: string;
}

/**
 * The authorities that the machine trusts: of the named file if there is a name (SSL_CERT_FILE), else of the
 * distribution's, else those of Node. A file that changes is read again.
 */
export function hostTrust(file: string | null): TrustStore {
  let made: Made | null = null;
  return {
    context: () => {
      const [path, version] = bundleOf(file);
      if (made?.version !== version) made = { context: contextOf(path), version };
      return made.context;
    },
  };
}

/** A context that trusts these authorities, in PEM, and no others. */
export function contextFor(authorities: readonly string[]): SecureContext {
  // To Node an empty text, other than an empty list, means its own authorities.
  return createSecureContext({ ca: authorities.filter((text) => text !== ''), minVersion: 'TLSv1.2' });
}

function contextOf(path: string | null): SecureContext {
  return contextFor(path === null ? rootCertificates : [readFileSync(path, 'utf8')]);
}

/** The file that counts, and a text that changes with it. */
function bundleOf(file: string | null): readonly [path: string | null, version: string] {
  const isNamed = file !== null && file !== '';
  for (const path of isNamed ? [file] : BUNDLES) {
    const stats = statSync(path, { throwIfNoEntry: isNamed });
    // What is named and is no file fails when it is read: then nobody is trusted.
    if (isNamed || stats?.isFile() === true) return [path, `${path} ${stats?.ino} ${stats?.size} ${stats?.mtimeMs}`];
  }
  return [null, 'built in'];
}
