/** Bytes of a script the kernel looks at for its first line (BINPRM_BUF_SIZE, linux/binfmts.h). */
export const SHEBANG_BYTES_MAX: number = 256;

/** The interpreter a script names: an absolute path, or a bare name that env(1) looks up. */
export interface Shebang {
  readonly interpreter: string;
}

/** Reads the first line of a program; null for a binary and for a line that names nothing usable. */
export function parseShebang(start: Uint8Array): Shebang | null {
  const text = new TextDecoder().decode(start);
  if (!text.startsWith('#!')) return null;
  const line = text.slice(2).split('\n', 1)[0] ?? '';
  const words = line.trim().split(/[ \t]+/);
  const [program = ''] = words;
  if (!program.startsWith('/')) return null;
  if (!/\/env$/.test(program)) return { interpreter: program };
  const name = envProgram(words.slice(1));
  return name === null ? null : { interpreter: name };
}

/** The program in the arguments of env(1): after `-S`, other options and assignments. */
function envProgram(words: readonly string[]): string | null {
  for (const word of words) {
    if (word.startsWith('-S') && word.length > 2) return word.slice(2);
    if (word.startsWith('-') || /^[A-Za-z_][A-Za-z0-9_]*=/.test(word)) continue;
    return word;
  }
  return null;
}
