/** How the programs are told which model to use: these are the same for all of them. */
const OPTIONS = ['-m', '--model'];

/** The model that the options name, or null; the last one counts. */
export function namedModel(options: readonly string[]): string | null {
  let model: string | null = null;
  options.forEach((word, index) => {
    const [name = '', value] = splitOption(word);
    if (OPTIONS.includes(name)) model = value ?? options[index + 1] ?? null;
  });
  return model;
}

/** The same words with models as opencode names them: with their provider in front. */
export function wholeModelNames(words: readonly string[], provider: string): readonly string[] {
  const whole = (model: string): string => (model.startsWith(`${provider}/`) ? model : `${provider}/${model}`);
  return words.map((word, index) => {
    const [name = '', value] = splitOption(word);
    if (OPTIONS.includes(name) && value !== null) return `${name}=${whole(value)}`;
    return OPTIONS.includes(words[index - 1] ?? '') ? whole(word) : word;
  });
}

/** `--model=NAME` is one word, `--model` alone has its value in the next. */
function splitOption(word: string): readonly [name: string, value: string | null] {
  const at = word.indexOf('=');
  return at === -1 ? [word, null] : [word.slice(0, at), word.slice(at + 1)];
}
