import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { intactEvent } from '../audit/chain.ts';
import { AUDIT_LINE_BYTES_MAX } from '../base/limits.ts';
import type { GatewayUsage } from '../policy/table.ts';

/** Read at once, bytes: some thousand lines. */
const PIECE_BYTES = 1024 * 1024;
const LF = 10;

/** What every line with totals has; a text that a stranger wrote has its quotes escaped. */
const MARK = Buffer.from('"kind":"model-');

/**
 * What an agent has used of its gateways within one life, by the files of its audit, the oldest first. Lines that were
 * changed say nothing. Throws what the system throws.
 */
export function usageSince(paths: readonly string[], since: number): readonly GatewayUsage[] {
  const begin = new Date(since).toISOString();
  const latest = new Map<string, GatewayUsage>();
  for (const path of paths.filter((one) => existsSync(one))) {
    for (const line of markedLines(path)) {
      const event = intactEvent(line);
      if (event?.kind !== 'model-call' && event?.kind !== 'model-totals') continue;
      const { since: told, ...counts } = event.totals;
      if (told === begin) latest.set(event.mount, { mount: event.mount, provider: event.provider, ...counts });
    }
  }
  return [...latest.values()];
}

/** Lines of a file in which the mark stands, without their line feeds. */
function* markedLines(path: string): Generator<Uint8Array, void, void> {
  const fd = openSync(path, 'r');
  try {
    const store = Buffer.alloc(PIECE_BYTES);
    for (let kept = 0; ; ) {
      const read = readSync(fd, store, kept, PIECE_BYTES - kept, null);
      if (read === 0) return;
      const bytes = store.subarray(0, kept + read);
      const end = bytes.lastIndexOf(LF) + 1;
      for (let at = bytes.indexOf(MARK); at !== -1 && at < end; ) {
        const lineEnd = bytes.indexOf(LF, at);
        yield bytes.subarray(bytes.lastIndexOf(LF, at) + 1, lineEnd);
        at = bytes.indexOf(MARK, lineEnd);
      }
      // A line that is longer than any that is written has no place in an audit.
      kept = bytes.length - end <= AUDIT_LINE_BYTES_MAX ? bytes.copy(store, 0, end) : 0;
    }
  } finally {
    closeSync(fd);
  }
}
