/** How one kind of agent is started. */
export interface Preset {
  /** Program and fixed first arguments; what follows `--` on the command line comes after them. */
  readonly command: readonly string[];
  /** What to install when the program is not there. */
  readonly install: string;
}

/** Preset names a card may give. */
export type PresetName = 'opencode' | 'claude-code' | 'codex' | 'gemini' | 'shell';

/** One entry per value of the card's `agent`. */
export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  opencode: { command: ['opencode'], install: 'npm install -g opencode-ai' },
  'claude-code': { command: ['claude'], install: 'npm install -g @anthropic-ai/claude-code' },
  codex: { command: ['codex'], install: 'npm install -g @openai/codex' },
  gemini: { command: ['gemini'], install: 'npm install -g @google/gemini-cli' },
  shell: { command: ['/bin/sh'], install: 'install a POSIX shell' },
};
