import { CARD_KEYS } from './card-keys.gen.ts';
import { COMPARED_MAX, nearest, plainWord } from './nearest.ts';

/** Names that other programs and people use for our keys. */
const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ['id', 'agent_id'],
  ['name', 'agent_id'],
  ['agent_name', 'agent_id'],
  ['cwd', 'workspace'],
  ['workdir', 'workspace'],
  ['working_directory', 'workspace'],
  ['dir', 'workspace'],
  ['cmd', 'command'],
  ['argv', 'command'],
  ['args', 'command'],
  ['entrypoint', 'command'],
  ['env', 'environment'],
  ['env_vars', 'environment'],
  ['variables', 'environment'],
  ['provider', 'api_provider'],
  ['key_file', 'api_key_file'],
  ['key_path', 'api_key_file'],
  ['keyfile', 'api_key_file'],
  ['token_file', 'api_key_file'],
  ['keys', 'credentials'],
  ['secrets', 'credentials'],
  ['url', 'base_url'],
  ['endpoint', 'base_url'],
  ['api_base', 'base_url'],
  ['user', 'username'],
  ['env_var', 'variable'],
  ['limits', 'resource_limits'],
  ['resources', 'resource_limits'],
  ['hosts', 'allowed_hosts'],
  ['allowed_domains', 'allowed_hosts'],
  ['ttl', 'ttl_seconds'],
  ['timeout', 'ttl_seconds'],
  ['timeout_seconds', 'ttl_seconds'],
  ['stop_timeout', 'stop_timeout_seconds'],
  ['restart_policy', 'restart'],
  ['fs', 'filesystem'],
  ['tags', 'labels'],
  ['ports', 'publish'],
  ['readonly', 'read_only'],
  ['ro_binds', 'read_only'],
  ['memory', 'memory_mb'],
  ['mem_limit', 'memory_mb'],
  ['memory_limit', 'memory_mb'],
  ['memory_max', 'memory_mb'],
  ['memory_high', 'memory_high_mb'],
  ['cpu', 'cpu_percent'],
  ['cpu_quota', 'cpu_percent'],
  ['cpu_weight', 'cpu_shares'],
  ['pids_limit', 'max_processes'],
  ['max_pids', 'max_processes'],
  ['tasks_max', 'max_processes'],
  ['nofile', 'max_open_files'],
  ['tmp', 'tmp_mb'],
  ['tmp_size', 'tmp_mb'],
]);

/** Keys that hold a secret where people come from; a card never does. */
const SECRET_KEYS = /^(?:(?:anthropic_|openai_|google_|gemini_)?api_?key|api_token|token|secret|password)$/;

/** What to write for a key that the object at `parent` does not know, or undefined. `parent` is a pointer of CARD_KEYS. */
export function suggestKey(parent: string, key: string): string | undefined {
  const plain = plainWord(key.slice(0, COMPARED_MAX + 1));
  if (SECRET_KEYS.test(plain)) return 'A card holds no secrets: put the key in a file and name it in "api_key_file".';
  const here = keysOf(parent);
  const synonym = SYNONYMS.get(plain);
  if (synonym !== undefined && here.includes(synonym)) return `Write "${synonym}".`;
  const near = nearest(key, here);
  if (near !== null) return `Write "${near}".`;
  const elsewhere = CARD_KEYS.find(({ pointer }) => nameOf(pointer) === (synonym ?? plain));
  if (elsewhere === undefined) return undefined;
  const owner = elsewhere.pointer
    .slice(1, elsewhere.pointer.lastIndexOf('/'))
    .replaceAll('/*', '[]')
    .replaceAll('/', '.');
  const rename = synonym === undefined ? 'It' : `"${synonym}"`;
  return owner === '' ? `${rename} belongs at the top of the card.` : `${rename} belongs inside "${owner}".`;
}

/** The keys that the object at a pointer of CARD_KEYS may have. */
function keysOf(parent: string): readonly string[] {
  return CARD_KEYS.filter(({ pointer }) => pointer.slice(0, pointer.lastIndexOf('/')) === parent)
    .map(({ pointer }) => nameOf(pointer))
    .filter((name) => name !== '*' && name !== '$schema');
}

function nameOf(pointer: string): string {
  return pointer.slice(pointer.lastIndexOf('/') + 1);
}
