/** One line of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export interface Mount {
  /** Where in the file system the mount begins. */
  readonly root: string;
  readonly destination: string;
  /** Options of this mount, not of its file system. */
  readonly options: readonly string[];
  readonly type: string;
  readonly source: string;
}

/** Reads /proc/self/mountinfo. */
export function parseMounts(text: string): readonly Mount[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ');
      const [, , , root = '', destination = '', options = ''] = before.split(' ');
      const [type = '', source = ''] = after.split(' ');
      return { root, destination, options: options.split(','), type, source };
    });
}

/** Reads /proc/self/status: values by their names, without the blanks around them. */
export function readStatus(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\n').filter((line) => line.includes(':'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
}
