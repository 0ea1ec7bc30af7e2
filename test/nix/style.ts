/** Files that name /usr/lib, and why. */
const NAMES_USR: ReadonlyMap<string, string> = new Map([['nix/package.nix', 'refuses units in which it is left']]);

/** Longest line, characters. */
const WIDTH = 100;

/** A rule that each line of Nix outside of a text has to keep, and what to say when it does not. */
const LINE_RULES: readonly { readonly pattern: RegExp; readonly problem: string }[] = [
  { pattern: /^(?: {2})* (?! )/, problem: 'an indent that is not of steps of two' },
  { pattern: /\bwith lib;/, problem: 'with lib; hides where names come from' },
  { pattern: /^rec \{/, problem: 'rec at file level' },
];

/** What is wrong with the text of a Nix file, as `path:line: problem`. */
export function judgeStyle(path: string, text: string): readonly string[] {
  const problems: string[] = [];
  const tell = (line: number, problem: string): void => {
    problems.push(`${path}:${line}: ${problem}`);
  };
  const code = linesOfCode(text);
  for (const [index, line] of text.split('\n').entries()) {
    if (line.includes('\t')) tell(index + 1, 'a tab');
    if (/\s$/.test(line)) tell(index + 1, 'a blank at the end');
    if ([...line].length > WIDTH && !isOneWord(line)) tell(index + 1, `wider than ${WIDTH}`);
    if (line.includes('/usr/lib') && !NAMES_USR.has(path)) tell(index + 1, '/usr/lib, which NixOS does not have');
    if (!code.has(index)) continue;
    for (const { pattern, problem } of LINE_RULES) if (pattern.test(line)) tell(index + 1, problem);
  }
  if (!text.endsWith('\n') || text.endsWith('\n\n')) tell(text.split('\n').length, 'not one newline at the end');
  for (const name of deadNames(text)) problems.push(`${path}: ${name} is not used`);
  return problems;
}

/** A pattern or an address cannot be broken. */
function isOneWord(line: string): boolean {
  return !/^ *(?:[+#] |[\w.]+ = )?\S+ /.test(line);
}

/** Which lines are code: those that do not begin inside an indented text. */
function linesOfCode(text: string): ReadonlySet<number> {
  const code = new Set<number>();
  let isText = false;
  for (const [index, line] of text.split('\n').entries()) {
    if (!isText) code.add(index);
    // Three quotes are a quote in a text, and so are two before a dollar sign or a backslash.
    const quotes = line.replace(/^ *#.*/, isText ? '$&' : '').replace(/'''|''\$|''\\/g, '');
    if ((quotes.split("''").length - 1) % 2 === 1) isText = !isText;
  }
  return code;
}

/** Names that a file takes as arguments or binds in a `let` laid out as nixfmt does it, and never uses. */
function deadNames(text: string): readonly string[] {
  const code = text.replace(/^ *#.*$/gm, '');
  const bound = [...headArguments(code), ...letNames(code.split('\n'))];
  return bound.filter((name) => (code.match(new RegExp(`(?<![\\w'-])${name}(?![\\w'-])`, 'g')) ?? []).length < 2);
}

/** The names of `{ a, b ? c, ... }:` that a file begins with. */
function headArguments(code: string): readonly string[] {
  const head = /^\s*\{([^{}]*)\}:/.exec(code)?.[1] ?? '';
  return head.split(',').flatMap((part) => /^\s*([A-Za-z_][\w'-]*)/.exec(part)?.[1] ?? []);
}

function letNames(lines: readonly string[]): readonly string[] {
  const names: string[] = [];
  for (const [index, line] of lines.entries()) {
    const indent = /^( *)let$/.exec(line)?.[1];
    if (indent === undefined) continue;
    const rest = lines.slice(index + 1);
    const end = rest.findIndex((other) => other.startsWith(`${indent}in`));
    const block = rest.slice(0, end < 0 ? rest.length : end).join('\n');
    for (const [, name = ''] of block.matchAll(new RegExp(`^${indent} {2}([A-Za-z_][\\w'-]*) =`, 'gm')))
      names.push(name);
    for (const [, list = ''] of block.matchAll(new RegExp(`^${indent} {2}inherit(?: \\(.*?\\))?\\s([^;()]*);`, 'gms')))
      names.push(...list.trim().split(/\s+/));
  }
  return names;
}
