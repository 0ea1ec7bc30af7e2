/** Where options of the module stand, in the order of the reference. */
const GROUPS = [
  {
    title: 'The module',
    prefix: '',
    text: 'What the machine has and who may use it.',
  },
  {
    title: 'Agents',
    prefix: 'agents.<name>.',
    text:
      'The keys of a card in the spelling of the card; `null` leaves a key out. The same keys, with their bounds, are in ' +
      '[the agent card](../schema/agent-card.md).',
  },
  {
    title: 'Settings',
    prefix: 'settings.',
    text:
      "The keys of the daemon's configuration; `null` leaves a key out. The same keys, with their bounds, are in " +
      '[the configuration](../schema/config.md).',
  },
];

const ROOT = 'services.agent-spawn.';

/**
 * An option as it is recorded.
 * @typedef {{ name: string, type: string, default?: string, example?: string, description: string }} Option
 */

/**
 * @param {readonly Option[]} options of services.agent-spawn
 * @param {readonly string[]} order names of keys in the order of their schemas, dotted
 * @returns {string} the reference of the module, Markdown
 */
export function optionReference(options, order) {
  const named = options
    .filter(({ name }) => name.startsWith(ROOT))
    .map((option) => ({ ...option, name: option.name.slice(ROOT.length) }));
  const sections = GROUPS.map(({ title, prefix, text }) => {
    const members = named.filter(({ name }) => groupOf(name) === prefix);
    const sorted = members.sort((one, other) => placeOf(one.name, order) - placeOf(other.name, order));
    return [`## ${title}`, text, ...sorted.map(optionText)].join('\n\n');
  });
  return `# Options of NixOS

<!-- Generated from golden/options.json by \`npm run generate\`; not edited by hand. -->

All options are below \`services.agent-spawn\`.

${sections.join('\n\n')}
`;
}

/**
 * @param {string} name
 * @returns {string} the prefix of its group
 */
function groupOf(name) {
  return GROUPS.map(({ prefix }) => prefix).findLast((prefix) => name.startsWith(prefix)) ?? '';
}

/**
 * @param {string} name
 * @param {readonly string[]} order
 * @returns {number} those that no schema knows come first
 */
function placeOf(name, order) {
  const prefix = groupOf(name);
  return order.indexOf(prefix + name.slice(prefix.length).replaceAll('.*', '').replaceAll('.<name>', ''));
}

/**
 * @param {Option} option
 * @returns {string}
 */
function optionText({ name, type, default: fallback, example, description }) {
  const facts = [`Type: ${plain(type)}`];
  if (fallback !== undefined && fallback !== 'null') facts.push(...fact('Default', fallback));
  if (fallback === undefined) facts.push('Required');
  if (example !== undefined) facts.push(...fact('Example', example));
  return [`### \`${name}\``, withoutRoles(description), ...facts.map((text) => `- ${text}`)]
    .join('\n\n')
    .replace(/\n\n- /g, '\n- ')
    .replace('\n- ', '\n\n- ');
}

/**
 * @param {string} title
 * @param {string} code of Nix
 * @returns {string[]} on the line of the title, or below it
 */
function fact(title, code) {
  const lines = code.trim().split('\n');
  if (lines.length === 1) return [`${title}: \`${lines[0]}\``];
  return [[`${title}:`, '', '  ```nix', ...lines.map((line) => `  ${line}`), '  ```'].join('\n')];
}

/**
 * @param {string} text
 * @returns {string} that Markdown reads as it stands
 */
function plain(text) {
  return text.replace(/[*_<>]/g, '\\$&');
}

/**
 * @param {string} text of nixpkgs, whose Markdown knows roles of words
 * @returns {string}
 */
function withoutRoles(text) {
  return text.trim().replace(/\{(?:option|file|command|env|var|manpage)\}(?=`)/g, '');
}
