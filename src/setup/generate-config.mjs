import { documentFiles } from './generate-document.mjs';

/**
 * The generated files of the daemon's configuration.
 * @returns {Promise<{ path: string, text: string }[]>} paths relative to the checkout
 */
export function configFiles() {
  return documentFiles({
    schema: 'schema/config.schema.json',
    modules: 'src/config/config',
    name: 'ConfigFile',
    constant: 'CONFIG',
    noun: 'a configuration',
    keyModule: '../card/schema-key.ts',
    reference: {
      path: 'schema/config.md',
      heading: 'The configuration of the daemon',
      remark: `A configuration with any problem stops the daemon; \`agent-spawnd --check FILE\` names them all and touches nothing else.
A changed file holds after \`systemctl restart agent-spawnd\`, which leaves running agents alone.`,
    },
  });
}
