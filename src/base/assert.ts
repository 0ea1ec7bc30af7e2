/**
 * Checks an invariant of the program itself. A failed assertion is a bug in
 * agent-spawn, never a fault of a card, a caller or the host.
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

/** Marks a branch that the types already rule out. */
export function unreachable(value: never): never {
  throw new AssertionFailure(`unreachable value: ${JSON.stringify(value)}`);
}

/** A bug. Nothing catches it by type; the process that owns it ends. */
export class AssertionFailure extends Error {
  override readonly name = 'AssertionFailure';
}
