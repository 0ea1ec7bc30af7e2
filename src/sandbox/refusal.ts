import { SpawnError } from '../base/errors.ts';
import type { Problem } from '../base/result.ts';
import { AGENTS_SLICE } from '../plan/properties.ts';
import { renderUnitText } from '../plan/unit-text.ts';
import type { AgentRecord } from './record.ts';

/** What a unit says whose card was refused. */
export interface Refusal {
  readonly id: string;
  /** The card's file. */
  readonly path: string;
  readonly problems: readonly Problem[];
  /** `units/refuse` as installed: prints its words, sets the first as status text, fails. */
  readonly refusePath: string;
  readonly header: readonly string[];
}

/** Most problems shown in a unit; `agentctl check` shows all. */
const SHOWN_MAX = 10;

/** A unit that cannot start and says why in `systemctl status` and the journal. */
export function renderRefusal(refusal: Refusal): string {
  const lines = refusal.problems.slice(0, SHOWN_MAX).map(problemText);
  const words = [refusal.refusePath, `${refusal.path}: ${lines[0] ?? 'refused'}`, ...lines.slice(1)];
  return renderUnitText(
    [
      { name: 'Description', signature: 's', value: `AI agent ${refusal.id} (its card is refused)` },
      { name: 'Type', signature: 's', value: 'oneshot' },
      { name: 'NotifyAccess', signature: 's', value: 'all' },
      { name: 'ExecStartEx', signature: 'a(sasas)', value: [[refusal.refusePath, words, ['no-env-expand']]] },
      { name: 'Slice', signature: 's', value: AGENTS_SLICE },
      { name: 'SyslogIdentifier', signature: 's', value: `agent-${refusal.id}` },
    ],
    refusal.header,
  );
}

/** A problem as one line: where, what, and what to do. */
export function problemText(problem: Problem): string {
  const where = problem.pointer === '' ? '' : `${problem.pointer}: `;
  const hint = problem.suggestion === undefined ? '' : ` ${problem.suggestion}`;
  return `${where}${problem.message}${hint} (${problem.code})`;
}

/** The failure of a call that needs a card which is not refused. */
export function cardRefused({ id, notices }: Pick<AgentRecord, 'id' | 'notices'>): SpawnError {
  return new SpawnError('sandbox.card-refused', notices[0] ?? 'The card is refused.', {
    remedy: `agentctl inspect ${id}`,
  });
}
