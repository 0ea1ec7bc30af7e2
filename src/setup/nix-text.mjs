/** Longest line of a Nix file, characters. */
export const NIX_WIDTH = 100;

/**
 * Words of a description that are code: names of keys and variables, paths, addresses, patterns and files.
 * @type {readonly RegExp[]}
 */
const CODE = [
  /^[a-z0-9]+(_[a-z0-9]+)+$/,
  /^[A-Z0-9]+(_[A-Z0-9]+)+$/,
  /^\/[\w./-]+$/,
  /^https?:\/\/.*$/,
  /^\*\S*$/,
  /^(\[?[A-Z]{2,}\]?|[a-z]+)[:/][A-Z]{2,}$/,
  /^[\w@-]+\.(json|toml|md|service)$/,
  /^[a-z]{2,}\.[a-z_]+$/,
  /^(\d+(\.\d+){3}(\/\d+)?|::1)$/,
  /^--$/,
];

/**
 * @param {string} text
 * @returns {string} as a Nix string in double quotes
 */
export function nixString(text) {
  return `"${text.replace(/[\\"]/g, '\\$&').replaceAll('${', '\\${').replaceAll('\n', '\\n').replaceAll('\t', '\\t')}"`;
}

/**
 * A JSON value in Nix, laid out as nixfmt does it: sets of one name and lists that fit stay on their line.
 * @param {unknown} value
 * @param {string} indent of the line that it begins on
 * @param {number} [column] that it begins in, where it is not the indent
 * @returns {string}
 */
export function nixValue(value, indent, column = indent.length) {
  if (typeof value === 'string') return nixString(value);
  if (typeof value !== 'object' || value === null) return String(value);
  const flat = flatValue(value);
  if (flat !== undefined && column + flat.length < NIX_WIDTH) return flat;
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    return ['[', ...value.map((entry) => deeper + nixValue(entry, deeper)), `${indent}]`].join('\n');
  }
  const entries = Object.entries(value).map(([name, entry]) => {
    const head = `${deeper}${nixName(name)} = `;
    return `${head}${nixValue(entry, deeper, head.length)};`;
  });
  return ['{', ...entries, `${indent}}`].join('\n');
}

/**
 * @param {object} value
 * @returns {string | undefined} on one line; undefined for a set of several names
 */
function flatValue(value) {
  const entries = Array.isArray(value) ? value.map((entry) => ['', entry]) : Object.entries(value);
  if (!Array.isArray(value) && entries.length > 1) return undefined;
  const parts = entries.map(([name, entry]) => {
    const text = typeof entry === 'object' && entry !== null ? flatValue(entry) : nixValue(entry, '');
    return text === undefined || Array.isArray(value) ? text : `${nixName(name)} = ${text};`;
  });
  if (parts.includes(undefined)) return undefined;
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  return [open, ...parts, close].join(' ');
}

/**
 * @param {string} name of an attribute
 * @returns {string} in quotes where Nix wants them
 */
export function nixName(name) {
  return /^[A-Za-z_][\w'-]*$/.test(name) ? name : nixString(name);
}

/**
 * A paragraph as an indented string of Nix.
 * @param {string} text
 * @param {string} indent of the line that it begins on
 * @returns {string}
 */
export function nixParagraph(text, indent) {
  const escaped = text.replaceAll("''", "'''").replaceAll('${', "''${");
  const deeper = `${indent}  `;
  /** @type {string[]} */
  const lines = [];
  // A space in code is no place to break a line at.
  for (const word of escaped.match(/(?:`[^`]*`|[^\s`])+/g) ?? []) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= NIX_WIDTH) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(deeper + word);
  }
  return ["''", ...lines, `${indent}''`].join('\n');
}

/**
 * A description of the schema as Markdown: what is code is marked as such, and lists of JSON are written in Nix.
 * @param {string} text
 * @param {readonly string[]} values of an enumeration, which the text may explain one by one
 * @returns {string}
 */
export function markdown(text, values = []) {
  const lists = text.replace(/\["[^\]]*"\]/g, (list) => `\`${nixValue(JSON.parse(list), '', 0)}\``);
  const words = lists.match(/(?:`[^`]*`|[^\s`])+/g) ?? [];
  return words
    .map((word) => {
      const [, before = '', core = '', after = ''] = /^(\(?)(.*?)((?:'s)?\)?[.,;:]?)$/s.exec(word) ?? [];
      const isValue = values.includes(core) && after === ':';
      return isValue || CODE.some((pattern) => pattern.test(core)) ? `${before}\`${core}\`${after}` : word;
    })
    .join(' ');
}
