/** What the files of one room may import. `*` in a list allows everything. */
export interface Room {
  readonly name: string;
  /** Rooms whose values and types may be imported. */
  readonly rooms: readonly string[];
  /** Rooms of which only types may be imported. */
  readonly typeRooms: readonly string[];
  /** Modules of Node, without `node:`. */
  readonly builtins: readonly string[];
  readonly packages: readonly string[];
}

/** Parses the table `src/ROOMS`. Throws on a line it does not understand. */
export function parseRooms(text: string): ReadonlyMap<string, Room> {
  const rooms = new Map<string, Room>();
  for (const line of text.split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const match = /^([a-z-]+) *\| rooms: ([^|]*)\| builtins: ([^|]*)\| packages: ([^|]*)$/.exec(line);
    if (match === null) throw new Error(`src/ROOMS: cannot read the line: ${line}`);
    const [name = '', listed = '', builtins = '', packages = ''] = match.slice(1);
    const all = words(listed);
    rooms.set(name, {
      name,
      rooms: all.filter((word) => !word.startsWith('types:')),
      typeRooms: all.filter((word) => word.startsWith('types:')).map((word) => word.slice('types:'.length)),
      builtins: words(builtins),
      packages: words(packages),
    });
  }
  return rooms;
}

function words(text: string): readonly string[] {
  return text.split(' ').filter((word) => word !== '' && word !== '-');
}
