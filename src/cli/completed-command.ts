/** One option as a completion offers it. */
export interface CompletedOption {
  /** `--all`. */
  readonly long: string;
  /** `-a`, or null. */
  readonly short: string | null;
  /** What follows it: nothing, a path, or something nobody can guess. */
  readonly value: 'none' | 'path' | 'other';
  readonly text: string;
}

/** One program, or one command of it, as a completion offers it. */
export interface CompletedCommand {
  readonly name: string;
  readonly text: string;
  readonly options: readonly CompletedOption[];
  /** What its argument is; `cards` for one or more. */
  readonly argument: 'none' | 'id' | 'card' | 'cards' | readonly string[];
  readonly commands: readonly CompletedCommand[];
}

/** Prints the ids there are, one to a line; every completion asks for them so. */
export const LIST_IDS = 'agentctl list --all --quiet 2>/dev/null';
