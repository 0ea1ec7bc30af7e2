import { type Logger, pino } from 'pino';
import type { EngineEvent } from '../sandbox/context.ts';

/** pino levels as syslog(3) priorities, the prefix by which journald files a line (sd-daemon(3)). */
const PRIORITIES: readonly (readonly [level: number, priority: number])[] = [
  [60, 2],
  [50, 3],
  [40, 4],
  [30, 6],
  [0, 7],
];

/** A logger of JSON lines on standard output, each with journald's priority prefix. */
export function openLog(name: string, level: string): Logger {
  const stream = { write: (line: string): void => void process.stdout.write(`<${priorityOf(line)}>${line}`) };
  return pino({ name, level, base: {}, timestamp: false, messageKey: 'message' }, stream);
}

/** One line per event of the engine. */
export function logEvent(log: Logger, event: EngineEvent): void {
  const { kind, ...fields } = event;
  if (kind === 'ignored-failure') log.warn(fields, `ignored: ${event.operation} failed`);
  else if (kind === 'card-refused') log.warn(fields, `refused the card of ${event.id}`);
  else log.info(fields, `agent ${event.id}: ${kind}`);
}

function priorityOf(line: string): number {
  const level = Number(/^\{"level":(\d+)/.exec(line)?.[1] ?? 0);
  return PRIORITIES.find(([least]) => level >= least)?.[1] ?? 7;
}
