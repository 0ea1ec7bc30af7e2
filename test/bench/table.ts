/** A cell; numbers are set right, texts left. */
export type Cell = string | { readonly number: string };

/** Lines of a table whose columns are as wide as they must be. The first row is the head. */
export function renderTable(rows: readonly (readonly Cell[])[]): readonly string[] {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => textOf(row[column]).length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** A number for a cell; `-` for one that is not there. */
export function numeric(value: number | undefined, digits: number): Cell {
  return { number: value === undefined || !Number.isFinite(value) ? '-' : value.toFixed(digits) };
}

function textOf(cell: Cell | undefined): string {
  return typeof cell === 'object' ? cell.number : (cell ?? '');
}

function pad(cell: Cell, width: number): string {
  return typeof cell === 'object' ? cell.number.padStart(width) : cell.padEnd(width);
}
