import type { Problem } from '../base/result.ts';
import type { ResolvedCard } from '../card/resolve.ts';
import { PROVIDERS } from '../policy/provider.ts';
import type { Gateway } from '../policy/table.ts';
import type { PlannedCredential } from './gateways.ts';
import { RELAY_URL } from './network.ts';
import type { ModelAccess, ModelProvider } from './presets/preset.ts';

/** Names of the two variables that lead a client library to a provider. */
interface VariableNames {
  readonly baseUrl: string;
  readonly key: string;
}

/**
 * What the client libraries read, as they expect it: with `/v1` for openai and ollama, without for the others. Those of
 * ollama and custom have no library that all use; the names are ours.
 */
const NAMES: Readonly<Record<ModelProvider, VariableNames>> = {
  anthropic: { baseUrl: 'ANTHROPIC_BASE_URL', key: 'ANTHROPIC_API_KEY' },
  openai: { baseUrl: 'OPENAI_BASE_URL', key: 'OPENAI_API_KEY' },
  google: { baseUrl: 'GOOGLE_GEMINI_BASE_URL', key: 'GEMINI_API_KEY' },
  ollama: { baseUrl: 'OLLAMA_BASE_URL', key: 'OLLAMA_API_KEY' },
  custom: { baseUrl: 'CUSTOM_BASE_URL', key: 'CUSTOM_API_KEY' },
};

/** The credential of the agent's model, as the agent uses it; null without one, and where no gateway can be reached. */
export function modelAccess(
  card: ResolvedCard,
  credentials: readonly PlannedCredential[],
  hasRelay: boolean,
): ModelAccess | null {
  const ways = modelWays(credentials, hasRelay);
  return ways.find(({ provider }) => provider === card.apiProvider) ?? null;
}

/** The variables that lead any program to the gateways, whatever the agent is. */
export function gatewayVariables(
  credentials: readonly PlannedCredential[],
  hasRelay: boolean,
): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  const ways = modelWays(credentials, hasRelay);
  for (const way of ways) Object.assign(variables, wayVariables(way, numbered(way, ways)));
  const [ollama] = ways.filter(({ provider }) => provider === 'ollama');
  const hasOpenAi = ways.some(({ provider }) => provider === 'openai');
  if (ollama !== undefined && !hasOpenAi) Object.assign(variables, wayVariables(ollama, NAMES.openai));
  const git = hasRelay ? credentials.flatMap(({ gateway }) => (gateway?.provider === 'git' ? [gateway] : [])) : [];
  return { ...variables, ...gitVariables(git) };
}

/** A card may not set what leads to a gateway or holds a key. */
export function ownedVariableProblems(card: ResolvedCard, owned: ReadonlySet<string>): readonly Problem[] {
  return Object.keys(card.environment)
    .filter((name) => owned.has(name))
    .map((name) => ({
      code: 'card.conflict',
      pointer: `/environment/${name}`,
      message: `The variable ${name} belongs to a credential of the card, which the sandbox sets it for.`,
      suggestion: 'Remove it from "environment"; a "base_url" of the credential says where the API is.',
    }));
}

function modelWays(credentials: readonly PlannedCredential[], hasRelay: boolean): readonly ModelAccess[] {
  return credentials.flatMap(({ credential, gateway, variable }): readonly ModelAccess[] => {
    const { provider, pointer } = credential;
    if (provider === 'git') return [];
    if (gateway === null) {
      const baseUrl = credential.baseUrl ?? (provider === 'ollama' ? PROVIDERS.ollama.baseUrl : null);
      return [{ provider, baseUrl, variable, placeholder: null, pointer }];
    }
    if (!hasRelay) return [];
    const { mount, placeholder } = gateway;
    return [{ provider, baseUrl: `${RELAY_URL}${mount}`, variable: NAMES[provider].key, placeholder, pointer }];
  });
}

/** There is one way to every provider but custom, whose further ones are counted. */
function numbered(way: ModelAccess, ways: readonly ModelAccess[]): VariableNames {
  const { baseUrl, key } = NAMES[way.provider];
  const index = ways.filter(({ provider }) => provider === way.provider).indexOf(way);
  const number = `CUSTOM_${index + 1}_`;
  return index === 0
    ? { baseUrl, key }
    : { baseUrl: baseUrl.replace('CUSTOM_', number), key: key.replace('CUSTOM_', number) };
}

function wayVariables({ baseUrl, placeholder }: ModelAccess, names: VariableNames): Record<string, string> {
  return {
    ...(baseUrl === null ? {} : { [names.baseUrl]: baseUrl }),
    ...(placeholder === null ? {} : { [names.key]: placeholder }),
  };
}

/**
 * Configuration of git for the whole sandbox (git-config(1), GIT_CONFIG_COUNT): what is at the server of a token is
 * fetched through the gateway, however its address is written. Nobody is there to be asked for a password.
 */
function gitVariables(gateways: readonly Gateway[]): Record<string, string> {
  const settings = gateways.flatMap(({ mount, base }) => {
    const path = base.path === '' ? '/' : base.path;
    const key = `url.${RELAY_URL}${mount}${path}.insteadOf`;
    const authority = mount.slice('/git/'.length);
    const hostPath = path === '/' ? '' : path.slice(1);
    return [
      `${base.scheme}://${authority}${path}`,
      `ssh://git@${base.host}${path}`,
      `git@${base.host}:${hostPath}`,
    ].map((value) => ({ key, value }));
  });
  if (settings.length === 0) return {};
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(settings.length), GIT_TERMINAL_PROMPT: '0' };
  settings.forEach(({ key, value }, index) => {
    variables[`GIT_CONFIG_KEY_${index}`] = key;
    variables[`GIT_CONFIG_VALUE_${index}`] = value;
  });
  return variables;
}
