import type { Preset } from './preset.ts';

/** A shell: it talks to no model, and words after `--` are its arguments. */
export const SHELL: Preset = {
  program: '/bin/sh',
  install: 'install a POSIX shell',
  providers: ['anthropic', 'openai', 'google', 'ollama', 'custom'],
  keyVariable: null,
  launch: ({ words }) => ({
    command: ['/bin/sh', ...words],
    readsInput: true,
    access: {},
    switches: {},
    files: [],
    directories: [],
    notices: [],
  }),
};
