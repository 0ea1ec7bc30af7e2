import { readFileSync } from 'node:fs';
import { optionName } from '../base/pointer.ts';
import { ok, type Problem, type Result, refused } from '../base/result.ts';
import { escapeText } from '../cli/escape.ts';
import { type Config, parseConfig } from '../config/config.ts';

/** The configuration that a file holds; without the file the defaults, or a refusal where the file `mustExist`. */
export function readConfig(file: string, mustExist: boolean): Result<Config> {
  const bytes = readBytes(file, mustExist);
  return bytes.ok ? parseConfig(bytes.value) : bytes;
}

/** Null is an absent file. */
function readBytes(file: string, mustExist: boolean): Result<Uint8Array | null> {
  try {
    return ok(readFileSync(file));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !mustExist) return ok(null);
    return refused([{ code: 'config.invalid', pointer: '', message: `The file cannot be read: ${message}.` }]);
  }
}

/**
 * What is wrong with a configuration file, one line for each problem: `FILE: /key: sentence suggestion`.
 * @param prefix what names of options start with that stand in place of JSON pointers, or null
 */
export function configProblemLines(file: string, problems: readonly Problem[], prefix: string | null): string[] {
  return problems.map(({ pointer, message, suggestion }) => {
    const place = prefix === null ? pointer : optionName(prefix, pointer);
    return escapeText(
      [file, ...(place === '' ? [] : [place]), [message, suggestion ?? ''].join(' ').trim()].join(': '),
    );
  });
}
