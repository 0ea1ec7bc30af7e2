import type { ReloadView } from '../client/api.gen.ts';
import { renderTable } from './table.ts';

/** What the cards directory came to, a line for each agent that something was done for. */
export function reloadText({ cards, unchanged }: ReloadView): string {
  const counts = new Map<string, number>();
  for (const { did } of cards) counts.set(did, (counts.get(did) ?? 0) + 1);
  const told = [...counts].map(([did, count]) => `${count} ${did}`);
  const summary = `cards read again: ${[...told, `${unchanged} unchanged`].join(', ')}\n`;
  if (cards.length === 0) return summary;
  return (
    summary +
    renderTable(
      ['ID', 'STATE', 'WHY'],
      cards.map(({ id, did, message }) => [id, did, message ?? '']),
      null,
    )
  );
}
