import { intactEvent } from '../audit/chain.ts';
import type { AuditEvent } from '../audit/event.gen.ts';
import type { AuditLine } from '../host/host.ts';
import type { AuditEntry } from './views.ts';

/** The events of a log; a line that was changed since it was written is only named. With `denied`, those that tell of refusals. */
export async function* auditEntries(
  lines: AsyncIterable<AuditLine>,
  options: { readonly denied: boolean },
): AsyncGenerator<AuditEntry, void, void> {
  for await (const { file, number, bytes } of lines) {
    const event = intactEvent(bytes);
    if (event === null) yield { kind: 'broken-line', file, line: number };
    else if (!options.denied || isRefusal(event)) yield event;
  }
}

function isRefusal(event: AuditEvent): boolean {
  return event.kind === 'decision' ? event.verdict === 'deny' : event.kind === 'repeated';
}
