import type { HostSecrets } from '../../src/host/host.ts';
import { fault, type SecretRead } from '../../src/host/secret-read.ts';
import type { FakeFiles } from './fake-files.ts';

/** Secrets among the files of a machine in memory; credentials are in `/etc/credstore`. Directories are not looked at. */
export class FakeSecrets implements HostSecrets {
  /** What the reading of a source answers instead. */
  readonly answers = new Map<string, SecretRead>();
  readonly #files: FakeFiles;

  constructor(files: FakeFiles) {
    this.#files = files;
  }

  async read(source: string, bytesMax: number): Promise<SecretRead> {
    const answer = this.answers.get(source);
    if (answer !== undefined) return answer;
    const name = source.startsWith('credential:') ? source.slice('credential:'.length) : null;
    const path = name === null ? source : `/etc/credstore/${name}`;
    const node = this.#files.nodes.get(path);
    if (node?.kind === 'symlink') return this.read(node.target, bytesMax);
    if (node === undefined) return fault(name === null ? { kind: 'absent', path } : { kind: 'no-credential', name });
    if (node.kind === 'directory') return fault({ kind: 'not-a-file', path, what: 'directory' });
    if (node.kind === 'socket') return fault({ kind: 'not-a-file', path, what: 'socket' });
    const { uid, mode, content } = node;
    if (uid !== 0) return fault({ kind: 'foreign', path, uid });
    if ((mode & 0o022) !== 0) return fault({ kind: 'writable', path, mode });
    if ((mode & 0o077) !== 0) return fault({ kind: 'readable', path, mode });
    if (content.length > bytesMax) return fault({ kind: 'too-large', path, bytes: content.length });
    return { ok: true, bytes: Uint8Array.from(content) };
  }
}
