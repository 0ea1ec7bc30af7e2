import { type Config, parseConfig } from '../../../src/config/config.ts';

/** The configuration that a text, or a value that becomes JSON, stands for; its problems as lines otherwise. */
export function judged(file: unknown): Config | readonly string[] {
  const text = typeof file === 'string' ? file : JSON.stringify(file);
  const config = parseConfig(new TextEncoder().encode(text));
  if (config.ok) return config.value;
  return config.problems.map(({ code, pointer, message, suggestion }) => {
    return `${code} ${pointer}: ${message}${suggestion === undefined ? '' : ` [${suggestion}]`}`;
  });
}
