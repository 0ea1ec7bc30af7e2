import type { UnitProperty } from './unit-property.ts';
import { renderUnitText } from './unit-text.ts';

/** File of the drop-in in the unit's drop-in directory; an administrator's later number wins. */
export const COMMAND_DROP_IN: string = '10-commands.conf';

const COMMANDS = ['ExecStartEx', 'ExecStopPostEx'];

/**
 * The commands of a transient unit once more, as a drop-in. PID 1 of systemd
 * 252 writes them to its own file of the unit under the names of the bus, which
 * it does not understand when it is reloaded: the unit would be a broken one
 * from then on, without its exit report and without restarts.
 */
export function commandDropIn(properties: readonly UnitProperty[]): string {
  const commands = properties.filter(({ name }) => COMMANDS.includes(name));
  const [, service = ''] = renderUnitText(commands).split('[Service]\n');
  // An empty assignment first: what PID 1 understood of its own file is not to be run twice.
  return `[Service]\n${service.replace(/^(\w+)=/gm, '$1=\n$1=')}`;
}
