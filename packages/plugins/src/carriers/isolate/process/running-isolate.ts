/**
 * One isolate that runs: its way in, its way out, and its limits.
 *
 *   (load) ──▶ idle ──something came──▶ entered ──nothing left to do──▶ idle
 *                                          └── a limit was reached, or it speaks nonsense ──▶ ended
 *
 * An isolate works only while it is entered, and an entry has a limit of time; nothing in it runs by itself. An entry gives
 * it what came, in one piece, and is over when the microtasks of that are done: what it said stands in the mailbox then.
 * So a call costs one way into the isolate's thread and back. When its turn has an end (what it wrote is handed on then),
 * or it said more than the mailbox holds, it asks for another entry.
 *
 * What has no room in the mailbox waits in its own heap, and counts there, until it is taken. What it said is read a part
 * at a time, so that those beside it have their turns. It isn't entered meanwhile, nor while the runtime takes nothing in, or
 * while what it said waits for the runtime's next turn.
 */
import { limits } from "@troupe/protocol";
import type ivm from "isolated-vm";
import { MailboxMark, type ProcessMailbox } from "../mailbox.ts";
import { RecordList, RecordParts, type RecordReader } from "../records.ts";
import type { IsolateEnd } from "../wire.ts";
import { EntryLimit } from "./entry-limit.ts";
import { IsolateTimers } from "./isolate-timers.ts";
import type { OwnThread } from "./own-thread.ts";
import { processCpuMs } from "./process-cpu.ts";
import { Trust } from "./trust.ts";

const OUT_OF_MEMORY: IsolateEnd = { code: "memory_exceeded", message: "It used more memory than it may" };

/** An isolate whose source is loaded. */
export interface LoadedIsolate {
  readonly isolate: ivm.Isolate;
  readonly enter: ivm.Reference;
  readonly endTurn: ivm.Reference;
  readonly mailbox: ProcessMailbox;
}

/** One entry. */
interface Entry {
  readonly reference: ivm.Reference;
  readonly given: (number | ArrayBuffer)[];
  readonly options: ivm.ReferenceApplyOptions;
}

/** Entries on the process's own thread in one go, before others have their turns: what came, and the end of that turn. */
const ENTRIES_HERE = 2;

/** What a running isolate is made of. */
export interface RunningIsolateParts {
  readonly loaded: LoadedIsolate;
  /** Where it is entered when it has earned that. */
  readonly thread: OwnThread;
  readonly timeLimitMs: number;
  /** A frame for the runtime. */
  readonly send: (frame: Uint8Array) => void;
  /** Settles when the runtime takes in what is sent; undefined: it does. */
  readonly congested: () => Promise<void> | undefined;
  /** It has ended by itself, once. */
  readonly ended: (end: IsolateEnd) => void;
}

/** Enters one isolate. */
export class RunningIsolate {
  readonly #parts: RunningIsolateParts;
  readonly #timers: IsolateTimers;
  readonly #reader: RecordReader;
  readonly #waiting = new RecordList();
  /** It is entered, or what it said is read. */
  #running = true;
  #ended = false;
  /** It asked for another entry. */
  #again = false;
  readonly #limit: EntryLimit;
  readonly #trust: Trust;

  constructor(parts: RunningIsolateParts) {
    this.#parts = parts;
    const { thread, loaded, timeLimitMs } = parts;
    const { isolate } = loaded;
    // That stops it; whoever waits for the entry is told, and nobody is when it can't be stopped.
    const exceeded = (): void => disposeOf(isolate);
    this.#limit = new EntryLimit({ isolate, limitMs: timeLimitMs, cpuMs: processCpuMs, exceeded });
    this.#trust = new Trust({ thread, isolate, limitMs: timeLimitMs });
    this.#timers = new IsolateTimers((timer) => {
      this.#waiting.timerFired(timer);
      this.#enterSoon();
    });
    this.#reader = {
      frame: parts.send,
      timerSet: (timer, delayMs) => this.#timers.set(timer, delayMs),
      timerCleared: (timer) => this.#timers.cancel(timer),
    };
    queueMicrotask(() => void this.#begin());
  }

  /** Something came for it. */
  receive(frame: Uint8Array): void {
    if (this.#ended) return;
    this.#waiting.frame(frame);
    if (this.#waiting.bytes > limits.pluginWaitingBytes)
      this.#end({ code: "too_much_waits", message: `${this.#waiting.bytes} bytes wait for it` });
    else this.#enterSoon();
  }

  /** Nothing of it is left. */
  dispose(): void {
    this.#ended = true;
    this.#timers.clear();
    this.#limit.stop();
    this.#trust.stop();
    disposeOf(this.#parts.loaded.isolate);
  }

  /** It was stopped at its limit, and hasn't noticed yet. */
  get overdue(): boolean {
    return this.#limit.overdue;
  }

  /** It is entered, away from the process's own thread, and has been for so long that an end of the process may be its doing. */
  get runsLong(): boolean {
    return this.#limit.runsMs > limits.isolateLongMs;
  }

  /** What the source said while it was loaded is read first. */
  async #begin(): Promise<void> {
    await this.#hear();
    this.#running = false;
    if (this.#again || this.#waiting.bytes > 0) this.#enterSoon();
  }

  /** It is entered with all that comes in this turn. */
  #enterSoon(): void {
    if (this.#running || this.#ended) return;
    this.#running = true;
    this.#parts.thread.asks();
    queueMicrotask(() => void this.#run());
  }

  async #run(): Promise<void> {
    let here = this.#parts.thread.takes() ? ENTRIES_HERE : 0;
    try {
      while ((this.#again || this.#waiting.bytes > 0) && !this.#ended) {
        for (let wait = this.#parts.congested(); wait !== undefined; wait = this.#parts.congested()) {
          here = 0;
          await wait;
        }
        if (this.#ended) return;
        const whose = here > 0 ? this.#trust.guarded : undefined;
        here -= 1;
        const heard = whose === undefined ? this.#enterElsewhere() : this.#enterHere(whose);
        if (heard !== undefined) await heard;
      }
    } catch (cause) {
      this.#failed(cause);
    } finally {
      this.#running = false;
    }
  }

  async #enterElsewhere(): Promise<void> {
    const { reference, given, options } = this.#entry();
    this.#limit.begin();
    this.#trust.begin();
    const before: unknown = await reference.apply(undefined, given, options);
    this.#limit.end();
    // It was over just when it was stopped.
    if (this.#limit.reached) return this.#end(timeExceeded(this.#parts.timeLimitMs));
    this.#trust.end("elsewhere");
    await this.#hearAll(before);
  }

  /** On the process's own thread: nobody has to be woken. */
  #enterHere(whose: number): Promise<void> | undefined {
    const { reference, given, options } = this.#entry();
    const { thread, loaded, timeLimitMs } = this.#parts;
    let before: unknown;
    this.#trust.begin();
    try {
      const inTime = thread.enter(whose, loaded.isolate, () => {
        before = reference.applySync(undefined, given, options);
      });
      if (inTime) return this.#hearAll(before);
    } finally {
      this.#trust.end("here");
    }
    this.#end(timeExceeded(timeLimitMs));
    return undefined;
  }

  /** What is called for an entry, and with what. */
  #entry(): Entry {
    const { enter, endTurn, mailbox } = this.#parts.loaded;
    if (this.#again) return { reference: endTurn, given: [], options: { result: { copy: true } } };
    const bytes = mailbox.give(this.#waiting);
    if (bytes !== undefined) return { reference: enter, given: [bytes], options: {} };
    const copied = this.#waiting.take().buffer;
    return { reference: enter, given: [copied], options: { arguments: { copy: true } } };
  }

  /** What an entry gave back was said before what stands in the mailbox. */
  #hearAll(before: unknown): Promise<void> | undefined {
    const rest = before === undefined ? undefined : this.#read(before);
    return rest === undefined ? this.#hear() : rest.then(() => this.#hear());
  }

  /** What stands in the mailbox. */
  #hear(): Promise<void> | undefined {
    if (this.#ended) return undefined;
    const taken = this.#parts.loaded.mailbox.take();
    if (taken === undefined) this.#nonsense();
    else if ((taken.marks & MailboxMark.exhausted) !== 0) this.#end(OUT_OF_MEMORY);
    else {
      this.#again = (taken.marks & MailboxMark.again) !== 0;
      if (taken.said.byteLength > 0) return this.#read(taken.said);
    }
    return undefined;
  }

  /** Reads what was said: at once, when it is little. */
  #read(said: unknown): Promise<void> | undefined {
    const bytes = said instanceof ArrayBuffer ? new Uint8Array(said) : said;
    if (!(bytes instanceof Uint8Array)) {
      this.#nonsense();
      return undefined;
    }
    const parts = new RecordParts(bytes, this.#reader);
    return this.#readPart(parts) ? this.#readRest(parts) : undefined;
  }

  async #readRest(parts: RecordParts): Promise<void> {
    do await new Promise(setImmediate);
    while (!this.#ended && this.#readPart(parts));
  }

  /** True: there is more. */
  #readPart(parts: RecordParts): boolean {
    const read = parts.read(limits.isolateRecordsAtOnce);
    if (read === "broken") this.#nonsense();
    else if (this.#timers.size > limits.isolateTimers)
      this.#end({ code: "too_many_timers", message: `It has more than ${limits.isolateTimers} timers` });
    return read === "more" && !this.#ended;
  }

  #nonsense(): void {
    this.#end({ code: "nonsense", message: "It said something that can't be read" });
  }

  #failed(cause: unknown): void {
    if (this.#ended) return;
    const { loaded, timeLimitMs } = this.#parts;
    this.#end(this.#limit.reached ? timeExceeded(timeLimitMs) : endOf(cause, loaded.isolate));
  }

  #end(end: IsolateEnd): void {
    if (this.#ended) return;
    this.dispose();
    this.#parts.ended(end);
  }
}

function disposeOf(isolate: ivm.Isolate): void {
  if (!isolate.isDisposed) isolate.dispose();
}

/** Why an entry failed. The isolate's own word for it is for people: what is known is its state. */
export function endOf(cause: unknown, isolate: ivm.Isolate): IsolateEnd {
  if (isolate.isDisposed) return OUT_OF_MEMORY;
  return { code: "failed", message: cause instanceof Error ? cause.message : String(cause) };
}

/** What ends an isolate that ran so long. */
export function timeExceeded(timeLimitMs: number): IsolateEnd {
  return { code: "time_exceeded", message: `It ran for ${timeLimitMs} ms without an end` };
}
