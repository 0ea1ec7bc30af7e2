import { PATH_BYTES_MAX } from '../base/limits.ts';
import { pathFault } from '../base/paths.ts';
import { valueAt } from '../base/pointer.ts';
import { quote } from '../base/quote.ts';
import type { Problem } from '../base/result.ts';
import { parseCidr } from '../policy/cidr.ts';

/**
 * What is wrong with a configuration beyond what the schema can say. Looks only at values that have the type they should
 * have, so that it can be asked about any value.
 */
export function contradictions(file: unknown): readonly Problem[] {
  return [...pathProblems(file), ...proxyProblems(file), ...rangeProblems(file)];
}

function pathProblems(file: unknown): readonly Problem[] {
  const path = valueAt(file, '/cards_dir');
  if (typeof path !== 'string' || pathFault(path) !== 'too-long') return [];
  return [problem('/cards_dir', `"cards_dir" has more than ${PATH_BYTES_MAX} bytes, which no path can have.`)];
}

/** A pattern cannot say which texts with digits and dots are hosts (URL Standard, "host parsing"). */
function proxyProblems(file: unknown): readonly Problem[] {
  const url = valueAt(file, '/proxy');
  if (typeof url !== 'string' || URL.canParse(url)) return [];
  return [problem('/proxy', `"proxy" is ${quote(url)}, whose host is neither a name nor an address.`)];
}

/** The first address of the range is what links are counted from. */
function rangeProblems(file: unknown): readonly Problem[] {
  const range = valueAt(file, '/veth_range');
  const read = typeof range === 'string' ? parseCidr(range) : null;
  if (read === null || read.ok) return [];
  const suggestion = read.meant === null ? {} : { suggestion: `Write "${read.meant}".` };
  return [{ ...problem('/veth_range', `"veth_range" is ${quote(String(range))}, but ${read.fault}.`), ...suggestion }];
}

function problem(pointer: string, message: string): Problem {
  return { code: 'config.invalid', pointer, message };
}
