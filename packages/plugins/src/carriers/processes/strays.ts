/**
 * Strays: processes that a worker started, which nothing else leads to. A daemon has left its process group, and its parent has ended.
 *
 * They are known by their environment, which a process hands on to what it starts: a worker's has a variable of its own. So what begins
 * after the worker is looked at once, by its first environment. Who starts something without that variable hides it; that takes intent.
 */
import { listOf, textOf } from "./proc.ts";

/** The variable. */
const MARK = "TROUPE_WORKER_ID";

/** What has no environment for so long has none: it isn't just beginning. */
const BEGINNING_MS = 200;

/** One worker's. */
export class Strays {
  readonly #entry: string;
  /** Those that aren't: they were there before, or were looked at. */
  #others: Set<number>;
  /** Since when nothing can be read of them: they are just beginning, or are somebody else's. */
  #unread = new Map<number, number>();
  /** The number that was given last. When it is the same, nothing has begun. */
  #last = "";

  /** Before the worker is started. `id` is its own, and no secret. `others`: who can't be the worker's. Default: all that run now. */
  constructor(id: string, others: readonly number[] = processes()) {
    this.#entry = `\0${MARK}=${id}\0`;
    this.#others = new Set(others);
  }

  /** What marks the worker, for its environment. */
  get env(): Readonly<Record<string, string>> {
    return { [MARK]: this.#entry.slice(MARK.length + 2, -1) };
  }

  /** Those that began since it was asked last. */
  found(): readonly number[] {
    const last = textOf("/proc/loadavg").split(" ").at(-1) ?? "";
    if (last === this.#last && this.#unread.size === 0) return [];
    this.#last = last;
    const others = new Set<number>();
    const unread = new Map<number, number>();
    const found: number[] = [];
    for (const pid of processes()) {
      const isOther = this.#others.has(pid) || this.#look(pid);
      if (typeof isOther === "number") {
        unread.set(pid, isOther);
        continue;
      }
      others.add(pid);
      if (!isOther) found.push(pid);
    }
    this.#others = others;
    this.#unread = unread;
    return found;
  }

  /** True: it isn't the worker's. A number: that isn't known, since then. */
  #look(pid: number): boolean | number {
    const environment = textOf(`/proc/${pid}/environ`);
    const now = performance.now();
    if (environment === "") {
      const since = this.#unread.get(pid) ?? now;
      return now - since > BEGINNING_MS || since;
    }
    return !`\0${environment}`.includes(this.#entry);
  }
}

function processes(): number[] {
  return listOf("/proc").map(Number).filter(Number.isInteger);
}
