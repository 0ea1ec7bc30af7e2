import { SpawnError } from '../base/errors.ts';
import { isAgentId } from '../base/ids.ts';
import { quote } from '../base/quote.ts';
import type { ControlOptions } from './control-program.ts';
import { writeText } from './descriptor-writer.ts';

/** Prints a value: as a text for people, or with `--json` as it is. Resolves to the exit status. */
export async function show<T>(options: ControlOptions, value: T, text: (value: T) => string): Promise<number> {
  return print(options.json === true ? `${JSON.stringify(value)}\n` : text(value));
}

/** Prints a text. Resolves to the exit status. */
export async function print(text: string): Promise<number> {
  await writeText(1, text);
  return 0;
}

/** The id of an agent as it stands on a command line. Throws `cli.usage`. */
export function checkedId(id: string): string {
  if (isAgentId(id)) return id;
  throw new SpawnError('cli.usage', `${quote(id)} cannot be the id of an agent.`, {
    remedy: 'An id has 1 to 48 of a-z, 0-9 and inner hyphens. `agentctl list --all` shows those there are.',
  });
}
