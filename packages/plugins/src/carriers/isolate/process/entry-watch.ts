/**
 * EntryWatch: ends entries that run too long on the process's own thread, which can't look at a clock meanwhile.
 *
 * What looks is a function of ours in an isolate of its own, on a thread of its own. Both know of the entry by memory that they
 * share. While there are entries it sleeps and looks, in turns; an entry costs it nothing, and it is never woken for one.
 *
 *   main                              the watch
 *   entered = 7; armed? else arm      sleeps
 *   … the entry runs …                armed = 0; nothing entered? it is over, else armed = 1
 *                                     the isolate's clock: its time isn't up ──▶ sleeps for what is left
 *   entered: 7 ──▶ 0                  entered: 7 ──▶ EXCEEDED, the isolate is disposed of
 *
 * One of the last two happens, whatever the threads do: so an entry that was over in time is never taken for one that
 * wasn't. And an entry is never alone: either it sees that nobody is armed, or whoever goes off duty sees it.
 */
import { limits } from "@troupe/protocol";
import ivm from "isolated-vm";

/** Numbers of the shared memory: the entry that runs, its isolate, whether somebody looks, and one that never changes. */
const ENTERED = 0;
const WHOSE = 1;
const ARMED = 2;
const STILL = 3;
/** Behind them: the isolate's clock when the entry began. */
const BEGAN_AT = 16;
const BYTES = 24;

/** Entries are counted from 1 to this, and from 1 again. */
const LAST_ENTRY = 2 ** 31 - 1;
const NONE = 0;
const EXCEEDED = -1;

const PROGRAM = `(memory) => {
  const cells = new Int32Array(memory, 0, 4);
  const began = new BigInt64Array(memory, ${BEGAN_AT}, 1);
  const guarded = new Map();
  const leftMs = ({ isolate, limitMs }) => limitMs - Number(isolate.wallTime - Atomics.load(began, 0)) / 1e6;
  return {
    guard: (whose, isolate, limitMs) => void guarded.set(whose, { isolate, limitMs }),
    forget: (whose) => void guarded.delete(whose),
    look: (everyMs) => {
      for (let sleepMs = everyMs; ; ) {
        Atomics.wait(cells, ${STILL}, 0, sleepMs);
        Atomics.store(cells, ${ARMED}, 0);
        const entry = Atomics.load(cells, ${ENTERED});
        if (entry <= 0) return;
        Atomics.store(cells, ${ARMED}, 1);
        sleepMs = everyMs;
        const watched = guarded.get(Atomics.load(cells, ${WHOSE}));
        if (watched === undefined || watched.isolate.isDisposed) continue;
        const left = leftMs(watched);
        if (left > 0) sleepMs = Math.min(left, everyMs);
        else if (Atomics.compareExchange(cells, ${ENTERED}, entry, ${EXCEEDED}) === entry) watched.isolate.dispose();
      }
    },
  };
}`;

/** An isolate, as far as it is watched. */
export type Guarded = Pick<ivm.Isolate, "wallTime" | "isDisposed">;

/** What the watch's isolate has. */
interface Watch {
  readonly guard: ivm.Reference;
  readonly forget: ivm.Reference;
  readonly look: ivm.Reference;
}

/** The watch of one process. Its isolate is made when it is needed first. */
export class EntryWatch {
  readonly #memory = new SharedArrayBuffer(BYTES);
  readonly #cells = new Int32Array(this.#memory, 0, 4);
  readonly #began = new BigInt64Array(this.#memory, BEGAN_AT, 1);
  #watch: Promise<Watch> | undefined;
  #look: (() => void) | undefined;
  #lastGuarded = 0;
  #lastEntry = 0;

  /** Its number, once it is guarded: entries of it may begin. */
  async guard(isolate: Guarded, limitMs: number): Promise<number> {
    this.#watch ??= this.#start();
    const { guard, look } = await this.#watch;
    this.#look ??= () => look.applyIgnored(undefined, [limits.isolateLookMs]);
    this.#lastGuarded += 1;
    const whose = this.#lastGuarded;
    await guard.apply(undefined, [whose, isolate, limitMs]);
    return whose;
  }

  forget(whose: number): void {
    void this.#watch?.then(({ forget }) => forget.applyIgnored(undefined, [whose]));
  }

  /** An entry of an isolate that is guarded begins on this thread. */
  begin(whose: number, isolate: Guarded): void {
    this.#lastEntry = (this.#lastEntry % LAST_ENTRY) + 1;
    this.#cells[WHOSE] = whose;
    this.#began[0] = isolate.wallTime;
    Atomics.store(this.#cells, ENTERED, this.#lastEntry);
    if (Atomics.compareExchange(this.#cells, ARMED, 0, 1) === 0) this.#look?.();
  }

  /** It is over: false when it had been ended. */
  end(): boolean {
    return Atomics.exchange(this.#cells, ENTERED, NONE) === this.#lastEntry;
  }

  async #start(): Promise<Watch> {
    const isolate = new ivm.Isolate({ memoryLimit: limits.isolateMemoryLeastMb });
    const context = await isolate.createContext();
    const program: ivm.Reference = await context.eval(PROGRAM, { reference: true });
    const memory = new ivm.ExternalCopy(this.#memory).copyInto({ release: true });
    const watch: ivm.Reference = await program.apply(undefined, [memory], { result: { reference: true } });
    const [guard, forget, look] = await Promise.all(
      ["guard", "forget", "look"].map((name) => watch.get(name, { reference: true })),
    );
    if (!guard || !forget || !look) throw new RangeError("The watch is whole");
    return { guard, forget, look };
  }
}
