import { ok, type Problem, type Result, refused } from '../base/result.ts';
import type { ResolvedCard } from '../card/resolve.ts';
import { gatewayVariables, modelAccess, ownedVariableProblems } from './gateway-environment.ts';
import { planCredentials } from './gateways.ts';
import {
  type ModelAccess,
  type PresetFile,
  type PresetLaunch,
  providerProblems,
  variableProblems,
} from './presets/preset.ts';
import { PRESETS } from './presets.ts';

/** What is started and what leads it to its model, before anything is looked up on the host. */
export interface LaunchPlan {
  readonly command: readonly string[];
  readonly readsInput: boolean;
  /** Variables of the sandbox, in which those of the card come later. */
  readonly variables: Readonly<Record<string, string>>;
  /** Read-only files of configuration. */
  readonly files: readonly PresetFile[];
  /** Directories that the program may write to, beside the home directory. */
  readonly writable: readonly string[];
  readonly notices: readonly string[];
}

/**
 * Decides the agent's command and its way to the model.
 *
 * @param words What follows `--` on the command line.
 * @param hasRelay The gateways can be reached from the agent's network.
 */
export function planLaunch(card: ResolvedCard, words: readonly string[], hasRelay: boolean): Result<LaunchPlan> {
  const credentials = planCredentials(card);
  // What is wrong with them is reported with the network.
  const planned = credentials.ok ? credentials.value : [];
  const access = modelAccess(card, planned, hasRelay);
  const preset = PRESETS[card.agent];
  const launch = card.command === null ? preset.launch({ access, words }) : ownLaunch([...card.command, ...words]);
  const shared = gatewayVariables(planned, hasRelay);
  const owned = new Set([...Object.keys(shared), ...Object.keys(launch.access)]);
  const problems = [
    ...(card.command === null ? presetProblems(card, access) : []),
    ...ownedVariableProblems(card, owned),
  ];
  if (problems.length > 0) return refused(problems);
  const { command, readsInput, files, directories, notices } = launch;
  const variables = { ...launch.switches, ...shared, ...launch.access };
  return ok({ command, readsInput, variables, files, writable: directories, notices });
}

/** What keeps an agent of the list from its model. */
function presetProblems(card: ResolvedCard, access: ModelAccess | null): readonly Problem[] {
  const { agent, apiProvider } = card;
  const preset = PRESETS[agent];
  const pointer = access?.pointer.startsWith('/credentials/') === true ? access.pointer : '/api_provider';
  const problems = providerProblems(agent, preset, apiProvider, pointer);
  return problems.length > 0 || access === null ? problems : variableProblems(agent, preset, access);
}

/** A command of the card's own is started as it is. */
function ownLaunch(command: readonly string[]): PresetLaunch {
  return { command, readsInput: true, access: {}, switches: {}, files: [], directories: [], notices: [] };
}
