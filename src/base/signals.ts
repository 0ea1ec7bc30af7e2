/** Signal numbers of Linux on every architecture we run on (signal(7)), by name. */
const NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
};

const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(NUMBERS).map(([name, number]) => [number, name]));

/** Name of a signal whose default action ends a process, or null for any other number. */
export function signalName(number: number): string | null {
  return NAMES.get(number) ?? null;
}

/** Number of a signal by its name with or without `SIG`, or null. */
export function signalNumber(name: string): number | null {
  return NUMBERS[name.startsWith('SIG') ? name : `SIG${name}`] ?? null;
}
