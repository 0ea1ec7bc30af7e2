import type { ModelAction, ModelTool, ModelTurn } from './model-server-wire.ts';

type Call = Extract<ModelTurn, { readonly kind: 'call' }>;

/** Tools of agents, by what they do. */
const NAMES: Readonly<Record<ModelAction['kind'], readonly string[]>> = {
  create: ['Write', 'write', 'write_file'],
  edit: ['Edit', 'edit', 'replace'],
  run: ['Bash', 'bash', 'run_shell_command', 'exec_command', 'shell_command'],
};

/** Arguments of those tools, by what they mean. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  file_path: 'path',
  filePath: 'path',
  content: 'content',
  old_string: 'old',
  oldString: 'old',
  new_string: 'new',
  newString: 'new',
  command: 'command',
  cmd: 'command',
  description: 'purpose',
  instruction: 'purpose',
};

/**
 * The call that does it with one of these tools, by their names and schemas. Codex has three ways: tools inside of a
 * program, a tool for patches, and patches that its shell knows.
 * @throws Error when none of the tools can
 */
export function callFor(action: ModelAction, tools: readonly ModelTool[]): Call {
  const tool = tools.find(({ name }) => NAMES[action.kind].includes(name));
  if (tool !== undefined) return { kind: 'call', tool: tool.name, input: fill(tool, action) };
  const program = tools.find(({ name, schema }) => name === 'exec' && schema === null);
  if (program !== undefined) return { kind: 'call', tool: 'exec', input: programFor(action, program.description) };
  const patcher = tools.find(({ name }) => name === 'apply_patch');
  if (patcher !== undefined && action.kind !== 'run') {
    const text = patch(action);
    return { kind: 'call', tool: 'apply_patch', input: patcher.schema === null ? text : { input: text } };
  }
  if (action.kind !== 'run' && tools.some(({ name }) => name === 'exec_command')) {
    return callFor({ kind: 'run', command: `apply_patch <<'END'\n${patch(action)}END\n` }, tools);
  }
  throw new Error(`no tool to ${action.kind} with among ${tools.map(({ name }) => name).join(' ')}`);
}

function fill({ name, schema }: ModelTool, action: ModelAction): Readonly<Record<string, unknown>> {
  const known: Readonly<Record<string, unknown>> = { purpose: `To ${action.kind} what was asked for`, ...action };
  const properties = schema?.properties ?? {};
  const input: Record<string, unknown> = {};
  for (const [property, { type }] of Object.entries(properties)) {
    const value = known[ARGUMENTS[property] ?? ''];
    if (value === undefined) continue;
    if (String(type).toLowerCase() !== 'string') throw new Error(`${property} of ${name} is no text: ${type}`);
    input[property] = value;
  }
  const missing = (schema?.required ?? []).filter((property) => input[property] === undefined);
  if (missing.length > 0) throw new Error(`${name} wants ${missing.join(', ')}`);
  return input;
}

function programFor(action: ModelAction, description: string): string {
  const [tool, argument] =
    action.kind === 'run' ? ['exec_command', { cmd: action.command }] : ['apply_patch', patch(action)];
  if (!description.includes(`declare const tools: { ${tool}(`)) throw new Error(`programs have no ${tool}`);
  return `text(await tools.${tool}(${JSON.stringify(argument)}));\n`;
}

/** In the format of Codex: https://github.com/openai/codex, apply_patch_tool_instructions.md. */
function patch(action: Exclude<ModelAction, { readonly kind: 'run' }>): string {
  const marked = (mark: string, text: string): readonly string[] =>
    text
      .replace(/\n$/, '')
      .split('\n')
      .map((line) => `${mark}${line}`);
  const change =
    action.kind === 'create'
      ? [`*** Add File: ${action.path}`, ...marked('+', action.content)]
      : [`*** Update File: ${action.path}`, '@@', ...marked('-', action.old), ...marked('+', action.new)];
  return `${['*** Begin Patch', ...change, '*** End Patch'].join('\n')}\n`;
}
