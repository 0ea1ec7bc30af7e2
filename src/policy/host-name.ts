/** Why a text is no plain host name. */
export type HostNameFault = keyof typeof HOST_NAME_FAULTS;

/** What each fault says of a text, for messages. */
export const HOST_NAME_FAULTS = {
  empty: 'it is empty',
  'too-long': 'it has more than 253 characters',
  'not-ascii': 'it holds characters beyond ASCII',
  character: 'it holds a character that is neither a letter, a digit, a hyphen nor a dot',
  'empty-label': 'it has an empty label',
  'long-label': 'it has a label of more than 63 characters',
  hyphen: 'a label of it begins or ends with a hyphen',
  numeric: 'its last label is a number, as that of an address',
} as const;

/** A host name in its one canonical form (lower case, without the final dot), or why there is none. */
export type HostNameReading =
  | { readonly ok: true; readonly name: string }
  | { readonly ok: false; readonly fault: HostNameFault };

/** Longest name and label, characters (RFC 1035 §2.3.4, without the root label). */
const NAME_MAX = 253;
const LABEL_MAX = 63;

/** What the last label of an address looks like: digits, or 0x and hexadecimal digits (WHATWG URL, "ends in a number"). */
const NUMERIC_LABEL = /^(?:[0-9]+|0x[0-9a-f]*)$/;

/**
 * Reads a plain host name: labels of ASCII letters, digits and hyphens (RFC 1123 §2.1), one final dot allowed. Nothing
 * is repaired or mapped: names beyond ASCII are refused, and `xn--` labels stand for themselves. What ends in a number
 * is an address or nothing.
 */
export function parseHostName(text: string): HostNameReading {
  const fault = (kind: HostNameFault): HostNameReading => ({ ok: false, fault: kind });
  const bare = text.endsWith('.') ? text.slice(0, -1) : text;
  if (text === '') return fault('empty');
  if (bare.length > NAME_MAX) return fault('too-long');
  if (/[^\u0000-\u007f]/.test(bare)) return fault('not-ascii');
  if (!/^[A-Za-z0-9.-]*$/.test(bare)) return fault('character');
  const name = bare.toLowerCase();
  const labels = name.split('.');
  if (labels.includes('')) return fault('empty-label');
  if (labels.some((label) => label.length > LABEL_MAX)) return fault('long-label');
  if (labels.some((label) => label.startsWith('-') || label.endsWith('-'))) return fault('hyphen');
  return NUMERIC_LABEL.test(labels.at(-1) ?? '') ? fault('numeric') : { ok: true, name };
}
