import type { ErrorCode } from '../base/errors.ts';
import { normalForm, type PathFault, pathFault } from '../base/paths.ts';
import { quote } from '../base/quote.ts';

/** What is wrong with a text, as the end of a sentence about it, and what to write instead. */
export interface FormFault {
  readonly code: ErrorCode;
  /** Continues a sentence that starts with the name of the key or with the text itself. */
  readonly cause: string;
  readonly suggestion?: string;
}

/** Finds the words for a text that does not have a form; it is known not to have it. */
export type Explain = (text: string) => FormFault;

/** Characters that no single line may hold; as in the schema. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ud800-\udfff]/u;
/** Of these a word of a command or a value of a variable may hold tab and line feed. */
const CONTROL_IN_WORD = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ud800-\udfff]/u;

const PATH_CAUSES: Readonly<Record<PathFault, string>> = {
  empty: 'is empty',
  relative: 'does not start with "/"',
  control: 'holds a control character',
  'double-slash': 'holds "//"',
  'trailing-slash': 'ends with "/"',
  dot: 'has a part "."',
  'dot-dot': 'has a part ".."',
  'too-long': 'is too long',
};

/** One entry for each form that the schema of the card defines, by the name of its definition. */
export const FORMS: Readonly<Record<string, Explain>> = {
  agentId: explainAgentId,
  path: explainPath,
  ownDirectory: explainSystemDirectory,
  line: explainLine,
  shortLine: (text) => explainControl(text, CONTROL),
  word: (text) => explainControl(text, CONTROL_IN_WORD),
  program: (text) =>
    text === '' ? badFormat('is empty, so there is no program to run') : explainControl(text, CONTROL),
  environmentName: explainEnvironmentName,
  labelName: () => ({
    code: 'card.bad-format',
    cause: 'is not a name of a label',
    suggestion: 'Use letters, digits and inner ".", "_", "-" and "/".',
  }),
  hostPattern: explainHost,
  httpMethod: explainMethod,
  urlPath: explainUrlPath,
  ipAddress: (text) => badFormat(`is ${quote(text)}, but must be an IPv4 or IPv6 address without port and brackets`),
  proxyUrl: explainProxy,
  listenAddress: explainListenAddress,
  secretSource: explainSecretSource,
  baseUrl: explainBaseUrl,
  credentialHeader: explainCredentialHeader,
  userName: () => badFormat('is not a user name: it has no spaces, no colon and nothing beyond ASCII'),
};

function badFormat(cause: string, suggestion?: string): FormFault {
  return { code: 'card.bad-format', cause, ...(suggestion === undefined ? {} : { suggestion }) };
}

/** Words for a text that is not one line. */
export function explainLine(text: string): FormFault {
  return explainControl(text, CONTROL);
}

function explainControl(text: string, unwanted: RegExp): FormFault {
  const character = unwanted.exec(text)?.[0] ?? '';
  return badFormat(`holds the character ${codePoint(character)}, which is not allowed there`);
}

function codePoint(character: string): string {
  const name = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  if (name === '0000') return 'U+0000 (NUL)';
  return name === '000A' ? 'U+000A (a line break)' : `U+${name}`;
}

function explainAgentId(text: string): FormFault {
  if (text === '') return badFormat('is empty', 'Give the agent a name, such as "dev-agent".');
  const near = text
    .slice(0, 200)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 48)
    .replace(/-$/, '');
  const cause = `is ${quote(text)}, but an id has only lower-case letters, digits and inner hyphens`;
  return badFormat(cause, near === '' ? undefined : `Write "${near}".`);
}

/** Words for a text that is no absolute, normal path. */
export function explainPath(text: string): FormFault {
  const fault = pathFault(text);
  if (fault === null) return { code: 'card.bad-path', cause: 'is the root directory, which cannot be meant' };
  const cause = `is ${quote(text)}, which ${PATH_CAUSES[fault]}; a path must be absolute and normal`;
  const suggestion = suggestPath(text, fault);
  return { code: 'card.bad-path', cause, ...(suggestion === undefined ? {} : { suggestion }) };
}

function suggestPath(text: string, fault: PathFault): string | undefined {
  if (fault === 'relative' && /^[~$]/.test(text)) return 'Neither "~" nor "$NAME" is replaced: write the whole path.';
  if (fault === 'relative') return 'Write the whole path, from "/" on.';
  if (fault === 'empty' || fault === 'control') return undefined;
  const normal = normalForm(text);
  return normal === '/' || normal.length > 60 ? undefined : `Write ${quote(normal)}.`;
}

function explainSystemDirectory(text: string): FormFault {
  return {
    code: 'card.bad-path',
    cause: `is ${quote(text)}, which belongs to the system and would become the agent's to change`,
    suggestion: 'Use a directory of its own, such as "/mnt/agents/dev".',
  };
}

function explainEnvironmentName(name: string): FormFault {
  if (name === 'AGENT_ID' || /^[A-Za-z]+_proxy$/i.test(name)) {
    const what = name === 'AGENT_ID' ? 'tells who the agent is' : 'names the only way out';
    return {
      code: 'card.bad-environment',
      cause: `is set by the sandbox alone, because it ${what}`,
      suggestion: name === 'AGENT_ID' ? 'Remove it.' : 'Remove it; the key "proxy" names a proxy of your network.',
    };
  }
  return {
    code: 'card.bad-environment',
    cause: 'is not a name of a variable',
    suggestion: 'Use letters, digits and "_", and no digit at the start.',
  };
}

function explainHost(text: string): FormFault {
  const host =
    /^[a-z][a-z0-9+.-]*:\/\/(?:[^/@]{0,200}@)?([A-Za-z0-9._:-]{1,200})/.exec(text)?.[1] ??
    /^([A-Za-z0-9._:-]{1,200})\//.exec(text)?.[1];
  const cause = `is ${quote(text)}, but an entry is a host name or an address, without scheme, path or spaces`;
  return badFormat(cause, host === undefined ? undefined : `Write "${host}".`);
}

function explainMethod(text: string): FormFault {
  const capitals = text.toUpperCase();
  if (/^(?:CONNECT|TRACE|TRACK)$/.test(capitals)) return badFormat(`is ${quote(text)}, which is never passed on`);
  const cause = `is ${quote(text)}, but a method is a word in capitals`;
  return badFormat(cause, /^[A-Z](?:[A-Z-]{0,20}[A-Z])?$/.test(capitals) ? `Write "${capitals}".` : undefined);
}

function explainUrlPath(text: string): FormFault {
  return badFormat(
    `is ${quote(text)}, but a path starts with "/" and has no query, no space and no parts "", "." and ".."`,
    'Write what the request has between the host and the "?".',
  );
}

/** Words for a text that is no URL of an HTTP proxy. */
export function explainProxy(text: string): FormFault {
  if (/^https?:\/\/[^/]*@/.test(text)) {
    return badFormat(
      'holds a user name or a password, and cards are shown and logged',
      'Put USER:PASSWORD in a file and name it in "proxy_credentials_file".',
    );
  }
  const scheme = /^([a-z][a-z0-9+.-]{0,20}):\/\//.exec(text)?.[1];
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') {
    return badFormat(`is a proxy of the kind "${scheme}", but only http and https are spoken`);
  }
  const host = /^[A-Za-z0-9._-]{1,200}(?::[0-9]{1,5})?$/.test(text) ? `Write "http://${text}".` : undefined;
  return badFormat(`is ${quote(text)}, but a proxy is written http://HOST:PORT`, host);
}

function explainListenAddress(text: string): FormFault {
  const port = /^:?([0-9]{1,5})$/.exec(text)?.[1];
  const local = /^localhost:([0-9]{1,5})$/.exec(text)?.[1];
  const meant = port ?? local;
  const cause = `is ${quote(text)}, but an address is written ADDRESS:PORT with numbers, or [ADDRESS]:PORT for IPv6, and a socket as an absolute path`;
  return badFormat(cause, meant === undefined ? undefined : `Write "127.0.0.1:${meant}".`);
}

function explainSecretSource(text: string): FormFault {
  if (text.startsWith('credential:'))
    return badFormat(
      'names no systemd credential',
      'Write credential:NAME, with a name of letters, digits, ".", "_" and "-".',
    );
  if (looksLikeKey(text)) return badFormat('is no path', 'A card holds no secrets: put the key in a file and name it.');
  return explainPath(text);
}

/** Whether somebody put a key where a path belongs. Such a text is never repeated. */
function looksLikeKey(text: string): boolean {
  return !/^[/.~$]/.test(text) && /^[!-~]{20,}$/.test(text) && !text.includes('/');
}

function explainBaseUrl(text: string): FormFault {
  if (/^[a-z]+:\/\/[^/]*@/i.test(text))
    return badFormat('holds a user name or a password', 'Put the token in a file and name it in "api_key_file".');
  const host = /^[A-Za-z0-9._-]{1,200}(?::[0-9]{1,5})?(?:\/[A-Za-z0-9/._-]{0,100})?$/.test(text);
  return badFormat(
    `is ${quote(text)}, but a base URL is written https://HOST:PORT/PATH, without a query`,
    host ? `Write "https://${text}".` : undefined,
  );
}

function explainCredentialHeader(text: string): FormFault {
  const field = /^[A-Za-z0-9-]+/.exec(text)?.[0] ?? '';
  if (text === field || /^[A-Za-z0-9-]+: [A-Za-z0-9-]+$/.test(text))
    return badFormat(`is ${quote(field)}, a field that says how a request is sent`);
  return badFormat('is no name of a field', 'Write NAME, or NAME: WORD for a word before the key.');
}
