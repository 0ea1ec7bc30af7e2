import { CLAUDE_CODE } from './presets/claude-code.ts';
import { CODEX } from './presets/codex.ts';
import { GEMINI } from './presets/gemini.ts';
import { OPENCODE } from './presets/opencode.ts';
import type { Preset } from './presets/preset.ts';
import { SHELL } from './presets/shell.ts';

/** Preset names a card may give. */
export type PresetName = 'opencode' | 'claude-code' | 'codex' | 'gemini' | 'shell';

/** One entry per value of the card's `agent`. */
export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  opencode: OPENCODE,
  'claude-code': CLAUDE_CODE,
  codex: CODEX,
  gemini: GEMINI,
  shell: SHELL,
};
