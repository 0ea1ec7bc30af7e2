import type { CredentialsView, CredentialView } from '../client/api.gen.ts';
import { renderTable } from './table.ts';

/** What became of the credentials of an agent, in the order of its card. */
export function credentialsText({ agent, credentials }: CredentialsView): string {
  const changed = credentials.filter(({ isChanged }) => isChanged).length;
  const rows = credentials.map((credential) => [credential.pointer, credential.target, effect(credential)]);
  const table = renderTable(['KEY', 'USED AS', 'STATE'], rows, null);
  return `agent ${agent}: read again, ${changed} of ${credentials.length} changed\n${table}`;
}

function effect({ isChanged, inForce }: CredentialView): string {
  if (!isChanged) return 'unchanged';
  return inForce === 'now' ? 'changed, in force' : 'changed, in force from the next start on';
}
