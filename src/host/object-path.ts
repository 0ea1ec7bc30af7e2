/** Parent of every unit's object (org.freedesktop.systemd1(5)). */
const UNITS = '/org/freedesktop/systemd1/unit/';

/** Object path of a unit: its name with every byte but letters, and digits after the first byte, as `_` and two hex digits. */
export function unitPath(unit: string): string {
  if (unit === '') return `${UNITS}_`;
  let path = UNITS;
  for (const [index, byte] of Buffer.from(unit).entries()) {
    const isPlain = isLetter(byte) || (index > 0 && isDigit(byte));
    path += isPlain ? String.fromCharCode(byte) : `_${byte.toString(16).padStart(2, '0')}`;
  }
  return path;
}

/** Name of the unit at an object path, or null when the path is no unit's. */
export function unitOfPath(path: string): string | null {
  if (!path.startsWith(UNITS)) return null;
  const label = path.slice(UNITS.length);
  if (label === '_') return '';
  if (!/^(?:[A-Za-z0-9]|_[0-9a-f]{2})+$/.test(label)) return null;
  const bytes = label.replaceAll(/_(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}

function isLetter(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
