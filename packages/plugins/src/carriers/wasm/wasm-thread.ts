/**
 * WasmThread: the host's end of a plugin's thread.
 *
 *   opening ── the module is open ──▶ idle ── run() ──▶ busy ── its turn is done ──▶ idle
 *      └──────────────┬────────────────┴──────────────────┴── a fault, its time is up, end() ──▶ ended, when the thread is gone
 *
 * A turn has a limit of time, and so has opening, in which the module's start function runs; the thread's own start doesn't
 * count. It is looked at by one clock for all turns, so that a turn that is short costs none: the clock rings often, and a turn that it
 * finds again each time is too long. A host that was away itself hasn't seen the end of a turn yet: the exchange says whose turn it
 * is. Its absence is one ring, however long it was.
 */
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { BusyPoll, PolledAnswer, TroupeError } from "@troupe/base";
import { engineLimits, limits } from "@troupe/protocol";
import { nodeBusyPoll } from "@troupe/runtime/process";
import { wasmErrors } from "./errors.ts";
import { Asked, type Exchange, reserve, Turn, Word } from "./exchange.ts";
import { Moment } from "./moment.ts";
import type { ThreadOrder, ThreadSaying } from "./thread/main.ts";

/** Who listens to a thread. */
export interface ThreadEar {
  /** It is open, or its turn is done. */
  idle(): void;
  /** Nothing of it is left, once and last; undefined: it was asked to end. */
  ended(error: TroupeError | undefined): void;
}

/** What a thread is made of. */
export interface ThreadParts extends ThreadOrder {
  readonly timeLimitMs: number;
  readonly ear: ThreadEar;
  /** Default: the process's. */
  readonly poll?: BusyPoll;
}

/** The clock rings so often in a turn that is too long. */
const RINGS = 20;

/** One plugin's thread. */
export class WasmThread {
  readonly #exchange: Exchange;
  readonly #timeLimitMs: number;
  readonly #ear: ThreadEar;
  readonly #worker: Worker;
  readonly #poll: BusyPoll;
  #state: "busy" | "idle" | "ended" = "busy";
  /** Counts turns, for the clock to know one again. */
  #turn = 0;
  #clock: NodeJS.Timeout | undefined;
  /** Somebody waits for its turn's end. */
  #moment: Moment | undefined;
  /** Why it has to end; `asked`: nothing is wrong. */
  #reason: TroupeError | "asked" | undefined;
  /** It is on its way out: asking again would make one more listener each time. */
  #ending = false;

  constructor({ ear, timeLimitMs, poll = nodeBusyPoll(), ...order }: ThreadParts) {
    this.#exchange = order.exchange;
    this.#timeLimitMs = timeLimitMs;
    this.#ear = ear;
    this.#poll = poll;
    Atomics.store(order.exchange.words, Word.turn, Turn.host);
    this.#worker = new Worker(threadFile(), {
      workerData: order,
      env: {},
      argv: [],
      // What the host's program is started with, preloaded modules too, isn't the plugin's.
      execArgv: [],
      stdin: false,
      resourceLimits: { maxOldGenerationSizeMb: engineLimits.wasmThreadHeapMb, maxYoungGenerationSizeMb: 4 },
    });
    this.#worker.on("message", (saying: ThreadSaying) => this.#heard(saying));
    this.#worker.on("error", (cause) => this.#fail(wasmErrors.threadLost(cause)));
    this.#worker.on("exit", (code) => this.#gone(code));
  }

  /** It was told to end, or can't go on. */
  get isEnding(): boolean {
    return this.#reason !== undefined;
  }

  /** It may be given a turn. */
  get idle(): boolean {
    return this.#state === "idle" && this.#reason === undefined;
  }

  /** It is about to have its turn: it wakes meanwhile, where it sleeps and that pays. Only while it is idle. */
  wake(): void {
    if (!this.#poll.polls || this.#poll.lookMs > 0) return;
    const { words } = this.#exchange;
    Atomics.store(words, Word.lookUs, limits.busyLookMs * 1_000);
    Atomics.notify(words, Word.turn);
  }

  /** Settles when its turn is done and heard, or was too long; undefined when it has none, or one that may take its time. */
  soon(): Promise<void> | undefined {
    if (this.#state !== "busy" || !this.#poll.soon) return undefined;
    this.#moment ??= new Moment(engineLimits.wasmMomentMs);
    return this.#moment.over;
  }

  /** Its turn, with these frames, which may be none. Only while it is idle. */
  run(frames: Uint8Array | undefined): void {
    this.#give(Asked.frames, frames);
    if (this.#clock === undefined) this.#watch(this.#turn);
  }

  /** Its last turn: it takes these frames in, and closes. Only while it is idle. */
  close(frames: Uint8Array | undefined, timeoutMs: number): void {
    this.#reason ??= "asked";
    this.#exchange.words[Word.closeMs] = timeoutMs;
    this.#give(Asked.close, frames);
  }

  /** Ends it now, wherever it is. */
  end(error?: TroupeError): void {
    this.#reason ??= error ?? "asked";
    if (this.#ending) return;
    this.#ending = true;
    this.#worker.ref();
    void this.#worker.terminate();
  }

  #give(asked: number, frames: Uint8Array | undefined): void {
    const { words, incoming } = this.#exchange;
    if (frames !== undefined) reserve(incoming, frames.byteLength).set(frames);
    words[Word.inBytes] = frames?.byteLength ?? 0;
    words[Word.asked] = asked;
    words[Word.lookUs] = this.#poll.lookMs * 1_000;
    this.#state = "busy";
    this.#turn += 1;
    this.#worker.ref();
    Atomics.store(words, Word.turn, Turn.thread);
    Atomics.notify(words, Word.turn);
    this.#poll.expect(this.#turnBack);
  }

  #heard(saying: ThreadSaying): void {
    if (this.#state === "ended") return;
    if (typeof saying === "object") return this.#fail(wasmErrors.fault(saying));
    if (saying === 0) this.#idle();
    else this.#watch(this.#turn);
  }

  readonly #turnBack: PolledAnswer = {
    look: () => {
      const isBack = Atomics.load(this.#exchange.words, Word.turn) === Turn.host;
      if (isBack) this.#turnDone();
      return isBack;
    },
    sleep: () => {
      const back = Atomics.waitAsync(this.#exchange.words, Word.turn, Turn.thread);
      // What it says is heard in a turn of the loop's own, not at the end of somebody's.
      if (back.async) back.value.then(() => setImmediate(this.#turnDone));
      else setImmediate(this.#turnDone);
    },
  };

  readonly #turnDone = (): void => {
    if (this.#state !== "busy") return;
    this.#poll.arrived();
    this.#idle();
  };

  #idle(): void {
    this.#state = "idle";
    // A program that has nothing else to do waits for a turn's end, and not for what may be asked later.
    this.#worker.unref();
    const moment = this.#moment;
    this.#moment = undefined;
    if (this.#reason === undefined) this.#ear.idle();
    moment?.end();
  }

  /** Rings while there is a turn. `turn`: the one that it found so often. */
  #watch(turn: number, found = 0): void {
    const ring = (): void => {
      this.#clock = undefined;
      if (this.#state !== "busy") return;
      const { words } = this.#exchange;
      const given = this.#turn === 0 || Atomics.load(words, Word.turn) === Turn.thread;
      const again = this.#turn === turn ? found + 1 : 0;
      if (given && again >= RINGS) this.#fail(wasmErrors.timeExceeded(this.#timeLimitMs));
      else this.#watch(this.#turn, again);
    };
    this.#clock = setTimeout(ring, this.#timeLimitMs / RINGS).unref();
  }

  #fail(error: TroupeError): void {
    if (this.#state !== "ended") this.end(error);
  }

  #gone(code: number): void {
    this.#state = "ended";
    // Nobody waits for its turn any more.
    Atomics.notify(this.#exchange.words, Word.turn);
    clearTimeout(this.#clock);
    this.#moment?.end();
    const reason = this.#reason ?? wasmErrors.threadLost(`exit ${code}`);
    this.#ear.ended(reason === "asked" ? undefined : reason);
  }
}

function threadFile(): string {
  const extension = new URL(import.meta.url).pathname.endsWith(".ts") ? "ts" : "js";
  return fileURLToPath(new URL(`./thread/main.${extension}`, import.meta.url));
}
