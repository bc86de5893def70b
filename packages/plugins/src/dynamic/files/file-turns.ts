/**
 * Turns at the disk: how many calls of a runtime's isolates it works at. The platform does such work on a few threads, with which it
 * looks up names and reads everybody's files as well: a disk that hangs must not have them all.
 */
import type { Env } from "@troupe/base";
import { limits } from "@troupe/protocol";

/** Those of one runtime. */
export class FileTurns {
  #free: number = limits.isolateFileCallsAtOnce;
  readonly #waiting: (() => void)[] = [];

  /** Does something in its turn. */
  async take<T>(act: () => Promise<T>): Promise<T> {
    if (this.#free === 0) await new Promise<void>((turn) => this.#waiting.push(turn));
    else this.#free -= 1;
    try {
      return await act();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}

const turns = new WeakMap<Env, FileTurns>();

/** A runtime's: a definition knows it by its Env alone. Two runtimes share nothing through this table. */
export function fileTurnsOf(env: Env): FileTurns {
  const known = turns.get(env) ?? new FileTurns();
  turns.set(env, known);
  return known;
}
