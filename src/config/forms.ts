import { quote } from '../base/quote.ts';
import { type Explain, explainLine, explainPath, explainProxy, type FormFault } from '../card/forms.ts';
import { CONFIG_DEFAULTS } from './config-keys.gen.ts';

/** One entry for each form that the schema of the configuration defines, by the name of its definition. */
export const FORMS: Readonly<Record<string, Explain>> = {
  line: explainLine,
  path: explainPath,
  proxyUrl: explainDefaultProxy,
  linkRange: explainLinkRange,
};

function explainDefaultProxy(text: string): FormFault {
  if (!/^https?:\/\/[^/]*@/.test(text)) return explainProxy(text);
  return {
    code: 'config.invalid',
    cause: 'holds a user name or a password, and configurations are shown and logged',
    suggestion: 'A card that names "proxy" and "proxy_credentials_file" itself reads them from a file.',
  };
}

function explainLinkRange(text: string): FormFault {
  const cause = `is ${quote(text)}, but links need IPv4 addresses, ADDRESS/PREFIX with a prefix from 8 to 24`;
  return { code: 'config.invalid', cause, suggestion: `Write "${CONFIG_DEFAULTS.veth_range}", for example.` };
}
