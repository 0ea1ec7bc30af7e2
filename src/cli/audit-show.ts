import type { AuditEntry } from '../client/api.gen.ts';
import type { ApiClient } from '../client/api-client.ts';
import { isUnavailable, retry } from '../client/follow.ts';
import { auditLine } from './audit-text.ts';
import { writeText } from './descriptor-writer.ts';

/** Which entries of an audit are shown, and how. */
export interface AuditShowOptions {
  readonly denied: boolean;
  readonly follow: boolean;
  readonly isJson: boolean;
}

/**
 * Shows an audit, and with `follow` what comes later. A daemon that is
 * restarted meanwhile is waited for, and what was shown is not shown again.
 */
export async function showAudit(client: ApiClient, id: string, options: AuditShowOptions): Promise<void> {
  const { denied, follow, isJson } = options;
  let entries = await client.audit(id, { denied, follow });
  let shown = 0;
  let count = 0;
  for (let isCatchingUp = false; ; isCatchingUp = true) {
    try {
      for await (const entry of entries) {
        if (isCatchingUp && sequenceOf(entry) <= shown) continue;
        isCatchingUp = false;
        shown = Math.max(sequenceOf(entry), shown);
        count += 1;
        await writeText(1, isJson ? `${JSON.stringify(entry)}\n` : auditLine(entry));
      }
      if (count === 0 && !isJson) await writeText(1, denied ? 'No refusals.\n' : 'No events.\n');
      return;
    } catch (error) {
      if (!follow || !isUnavailable(error)) throw error;
    } finally {
      entries.close();
    }
    entries = await retry(() => client.audit(id, { denied, follow }));
  }
}

/** A line that is no event any more has no number. */
function sequenceOf(entry: AuditEntry): number {
  return entry.kind === 'broken-line' ? 0 : entry.sequence;
}
