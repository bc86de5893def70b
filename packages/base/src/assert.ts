/** A broken assumption of our own code: a bug, never an operating error. Kept in production. */
export class AssertionError extends Error {
  override readonly name: string = "AssertionError";
}

/** Throws `AssertionError` unless `condition` holds. For programmer's errors alone; bad input gets a `TroupeError`. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Marks a place that can't be reached when every case of a union was handled. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable case: ${String(value)}`);
}
