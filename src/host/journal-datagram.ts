import type { JournalEntry } from './host.ts';

/** Agent id in the name of an agent's unit. */
const AGENT_UNIT = /^sandboxed-agent@(.+)\.service$/;

/**
 * One line in systemd's native journal protocol. `OBJECT_SYSTEMD_UNIT=` is what
 * `journalctl -u` and `systemctl status` look for in entries that root wrote
 * about a unit (systemd.journal-fields(7)).
 */
export function journalDatagram(entry: Omit<JournalEntry, 'lines'>, line: string): Buffer {
  const agentId = AGENT_UNIT.exec(entry.unit)?.[1];
  return Buffer.concat([
    field('MESSAGE', line),
    field('PRIORITY', String(entry.priority)),
    field('SYSLOG_IDENTIFIER', entry.identifier),
    field('OBJECT_SYSTEMD_UNIT', entry.unit),
    ...(agentId === undefined ? [] : [field('AGENT_ID', agentId)]),
  ]);
}

/** `NAME=value`, or the form with a length for a value that has a newline in it. */
function field(name: string, value: string): Buffer {
  if (!value.includes('\n')) return Buffer.from(`${name}=${value}\n`);
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, bytes, Buffer.from('\n')]);
}
