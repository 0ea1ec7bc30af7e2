import type { Problem } from '../../base/result.ts';
import type { ProviderName } from '../../policy/provider.ts';

/** Providers of models. */
export type ModelProvider = Exclude<ProviderName, 'git'>;

/** How an agent reaches its model. */
export interface ModelAccess {
  readonly provider: ModelProvider;
  /** Base URL as the provider's client libraries are told, of a gateway or of the card; null for the provider's own. */
  readonly baseUrl: string | null;
  /** Variable that holds the key or what stands for it; null for a server that wants none. */
  readonly variable: string | null;
  /** What the agent holds in place of the key; null when it gets the key itself. */
  readonly placeholder: string | null;
  /** Where the card speaks of it. */
  readonly pointer: string;
}

/** What an agent of the list is started for. */
export interface PresetInput {
  /** Null when nothing of ours leads to a model: people log in inside, or the card says another way. */
  readonly access: ModelAccess | null;
  /** What follows `--` on the command line. */
  readonly words: readonly string[];
}

/** A made-up file that configures an agent, read-only inside. */
export interface PresetFile {
  /** Name among the made-up files of the sandbox. */
  readonly name: string;
  /** Absolute path inside. */
  readonly path: string;
  readonly content: string;
}

/** How one agent is started. */
export interface PresetLaunch {
  /** The program as it is looked up, and its arguments. */
  readonly command: readonly string[];
  /** False when its standard input is empty: headless, some wait for its end before they begin. */
  readonly readsInput: boolean;
  /** Variables that lead to the model; no card may set them beside a key. */
  readonly access: Readonly<Record<string, string>>;
  /** Variables that switch off what is no part of the work; a card may set them otherwise. */
  readonly switches: Readonly<Record<string, string>>;
  readonly files: readonly PresetFile[];
  /** Writable directories beside the home directory, gone with each run. */
  readonly directories: readonly string[];
  readonly notices: readonly string[];
}

/** One kind of agent: the only place that knows its program. */
export interface Preset {
  /** Name of the program, or its absolute path. */
  readonly program: string;
  /** What to install when the program is not there. */
  readonly install: string;
  /** Providers it can talk to. */
  readonly providers: readonly ModelProvider[];
  /** The variable it reads its key from; null when it reads any it is told of. */
  readonly keyVariable: string | null;
  launch(input: PresetInput): PresetLaunch;
}

/** Words of the caller, told apart. */
export interface Prompt {
  /** What the agent is to do; null to talk to it. */
  readonly text: string | null;
  /** Options of the agent's own program. */
  readonly options: readonly string[];
}

/**
 * The last word is the prompt and those before it are options. When the last
 * one is an option too, there is no prompt, and everything is passed as it is.
 */
export function readPrompt(words: readonly string[]): Prompt {
  const last = words.at(-1);
  if (last === undefined || last.startsWith('-')) return { text: null, options: words };
  return { text: last, options: words.slice(0, -1) };
}

/** Content of a file of settings in JSON. */
export function jsonText(settings: object): string {
  return `${JSON.stringify(settings, null, 2)}\n`;
}

/** Why the agent cannot talk to a provider, or nothing; `pointer` is where the card names it. */
export function providerProblems(
  name: string,
  { providers }: Preset,
  provider: ModelProvider,
  pointer: string,
): readonly Problem[] {
  if (providers.includes(provider)) return [];
  return [
    {
      code: 'card.conflict',
      pointer,
      message: `The agent "${name}" cannot talk to the provider "${provider}".`,
      suggestion: `Choose ${providers.map((known) => `"${known}"`).join(' or ')}; or another "agent", or a "command" of your own.`,
    },
  ];
}

/** Why the agent would not find the key that the card puts into its environment, or nothing. */
export function variableProblems(name: string, { keyVariable }: Preset, access: ModelAccess): readonly Problem[] {
  const { variable, placeholder, pointer } = access;
  if (placeholder !== null || variable === null || keyVariable === null || variable === keyVariable) return [];
  return [
    {
      code: 'card.conflict',
      pointer: `${pointer}/variable`,
      message: `The agent "${name}" reads its key from ${keyVariable}, and the card puts it into ${variable}.`,
      suggestion: `Write "variable": "${keyVariable}", or leave the delivery to the gateway.`,
    },
  ];
}
