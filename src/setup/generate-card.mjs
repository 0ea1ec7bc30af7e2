import { documentFiles } from './generate-document.mjs';

/**
 * The generated files of the agent card.
 * @returns {Promise<{ path: string, text: string }[]>} paths relative to the checkout
 */
export function cardFiles() {
  return documentFiles({
    schema: 'schema/agent-card.schema.json',
    modules: 'src/card/card',
    name: 'Card',
    constant: 'CARD',
    noun: 'a card',
    keyModule: './schema-key.ts',
    reference: {
      path: 'schema/agent-card.md',
      heading: 'The agent card',
      remark: `Unknown keys are refused, and so are control characters in any text; only a word of \`command\` and a value of
\`environment\` may hold tabs and line breaks. A byte order mark at the start of the file is skipped.`,
    },
  });
}
