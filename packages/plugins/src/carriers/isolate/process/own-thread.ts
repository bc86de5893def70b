/**
 * OwnThread: when an isolate may be entered on the process's own thread, the one that reads the socket.
 *
 * Another thread has to be woken for an entry, and has to wake this one when it is over: more than most entries take. Here
 * neither is. But whoever runs here holds up every isolate beside it, if it loops until its limit ends it (`EntryWatch`).
 * So an isolate is entered here only when it has earned it by short entries (`Trust`), and when no other waits to be
 * entered: many at once are better off on threads of their own.
 *
 * An entry that is long after all is a debt, which all isolates of the process have together: it is paid off by
 * `isolateLongShare` of the time that goes by, and while it is more than `isolateLongMs` nobody is entered here. So however
 * many earn trust to break it, neighbours lose no more than that share, and at once no more than that and one entry's limit.
 */
import { limits } from "@troupe/protocol";
import { EntryWatch, type Guarded } from "./entry-watch.ts";

/** What ends an entry here. */
export type Watching = Pick<EntryWatch, "guard" | "forget" | "begin" | "end">;

/** The thread of one process. */
export class OwnThread {
  readonly #watch: Watching;
  /** Isolates that wait to be entered in this turn. */
  #asking = 0;
  #owedMs = 0;
  #owedAt = 0;

  constructor(watch: Watching = new EntryWatch()) {
    this.#watch = watch;
  }

  /** An isolate waits to be entered. */
  asks(): void {
    this.#asking += 1;
  }

  /** Its turn has come: whether it may be entered here. */
  takes(): boolean {
    this.#asking -= 1;
    return this.#asking === 0 && (this.#owedMs === 0 || this.#owed() <= limits.isolateLongMs);
  }

  /** Entries of it can be ended at its limit, from now on; its number. */
  guard(isolate: Guarded, limitMs: number): Promise<number> {
    return this.#watch.guard(isolate, limitMs);
  }

  /** No entry of it will begin. */
  forget(whose: number): void {
    this.#watch.forget(whose);
  }

  /** Runs an entry of an isolate that is guarded. False: it was ended at its limit. Throws what it throws. */
  enter(whose: number, isolate: Guarded, entry: () => void): boolean {
    this.#watch.begin(whose, isolate);
    try {
      entry();
    } catch (cause) {
      if (this.#watch.end()) throw cause;
      return false;
    }
    return this.#watch.end();
  }

  /** An entry here was long. */
  owes(ms: number): void {
    this.#owedMs = this.#owed() + ms;
  }

  #owed(): number {
    const now = performance.now();
    this.#owedMs = Math.max(0, this.#owedMs - (now - this.#owedAt) * limits.isolateLongShare);
    this.#owedAt = now;
    return this.#owedMs;
  }
}
