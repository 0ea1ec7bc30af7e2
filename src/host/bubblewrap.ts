import { probeCommand } from './spawn.ts';
import { findTrustedProgram, isTrustedProgram } from './trusted-program.ts';

/** The bubblewrap of this host and what it can do. */
export interface Bubblewrap {
  /** Absolute path, or null when there is none that can be trusted. */
  readonly path: string | null;
  /** Long options with their dashes. */
  readonly options: readonly string[];
}

/** Finds bubblewrap, at a configured path only when one is given, and asks it for its options. */
export async function probeBubblewrap(configuredPath: string | null, tools: readonly string[]): Promise<Bubblewrap> {
  const path = configuredPath === null ? await findTrustedProgram('bwrap', tools) : await trusted(configuredPath);
  if (path === null) return { path: null, options: [] };
  const help = await probeCommand(path, ['--help'], tools);
  return { path, options: parseOptions(help.stdout + help.stderr) };
}

/** The long options that stand at the beginning of a line of `bwrap --help`, each once. */
export function parseOptions(help: string): readonly string[] {
  const options = new Set<string>();
  for (const [, option] of help.matchAll(/^\s+(--[a-z0-9-]+)/gm)) if (option !== undefined) options.add(option);
  return [...options];
}

async function trusted(path: string): Promise<string | null> {
  return (await isTrustedProgram(path)) ? path : null;
}
