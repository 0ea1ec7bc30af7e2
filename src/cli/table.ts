import { escapeText } from './escape.ts';

/** Characters that take two cells of a terminal (Unicode 15 East_Asian_Width W and F, in coarse ranges). */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Marks that take no cell of their own. */
const COMBINING = /\p{M}/u;

const GAP = '  ';
/** The last column is not cut below this, however narrow the terminal. */
const LAST_COLUMN_MIN = 10;

/**
 * Rows below headings, columns aligned. Every cell is escaped: it may come from
 * a card or an agent. With a `width`, the last column is cut to fit it.
 */
export function renderTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  width: number | null,
): string {
  const cells = [headings, ...rows.map((row) => row.map(escapeText))];
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => cellWidth(row[column] ?? ''))));
  const before = widths.slice(0, -1).reduce((sum, column) => sum + column + GAP.length, 0);
  const last = width === null ? Number.POSITIVE_INFINITY : Math.max(LAST_COLUMN_MIN, width - before);
  const lines = cells.map((row) => {
    const padded = row.slice(0, -1).map((cell, column) => pad(cell, widths[column] ?? 0));
    return [...padded, cutToWidth(row.at(-1) ?? '', last)].join(GAP).trimEnd();
  });
  return `${lines.join('\n')}\n`;
}

/** Cells of a terminal that a text without control characters takes. */
export function cellWidth(text: string): number {
  let width = 0;
  for (const character of text) width += COMBINING.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

/** The text, or its beginning and an ellipsis. */
export function cutToWidth(text: string, width: number): string {
  if (cellWidth(text) <= width) return text;
  let cut = '';
  let used = 1;
  for (const character of text) {
    used += cellWidth(character);
    if (used > width) break;
    cut += character;
  }
  return `${cut}…`;
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(width - cellWidth(text));
}
