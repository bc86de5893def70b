/**
 * OutputGate: nothing leaves an actor before what it may depend on is durable.
 *
 * Batches are numbered in the order in which they are taken. An output made now may depend on everything that the
 * actor wrote so far, so it carries the number of the newest batch that holds any write, whichever action made that
 * write, and waits until this batch is durable. Outputs leave in the order in which they were made, one after the
 * other: what is said because one leaves (a client that can't keep up is closed, `onDisconnect` broadcasts) leaves
 * behind it. With nothing pending an output leaves at once, without being queued.
 *
 *        mark()            take()              settled(durable)
 *   clean ────▶ open batch ────▶ on its way to disk ────▶ durable: outputs up to it leave
 *
 * Who may observe what: other actions of the same actor see its uncommitted writes, but nothing that they say gets out
 * before those writes are durable. Whoever is outside sees only released outputs.
 *
 * The gate breaks for good when a batch fails: what waits, and whatever comes later, fails with that error.
 */
import { type TroupeError, TroupeError as TroupeErrorClass } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { Output } from "../ports/output.ts";
import type { CommitOutcome } from "../ports/storage.ts";

/** A promise that waits at the gate like any output: the barrier before a call that leaves the actor. */
class Barrier extends Output {
  readonly bytes = 64;
  readonly #resolve: () => void;
  readonly #reject: (error: TroupeError) => void;

  constructor(resolve: () => void, reject: (error: TroupeError) => void) {
    super();
    this.#resolve = resolve;
    this.#reject = reject;
  }

  release(): void {
    this.#resolve();
  }

  fail(error: TroupeError): void {
    this.#reject(error);
  }
}

/** The gate of one activation. */
export class OutputGate {
  /** Asks storage to take the open batch. */
  readonly #commit: () => void;
  /** True when the open batch holds a write. */
  #open = false;
  /** The number of the newest batch that holds, or held, any write. */
  #newest = 0;
  /** Every batch up to this number is durable. */
  #durable = 0;
  /** Things outside our batches that must be durable as well: the actor's creation. */
  #holds = 0;
  /** True while an output leaves: whoever hears of it may speak again at once, and waits for its turn. */
  #releasing = false;
  #head: Output | undefined = undefined;
  #tail: Output | undefined = undefined;
  #queued = 0;
  #queuedBytes = 0;
  #broken: TroupeError | undefined = undefined;

  constructor(commit: () => void) {
    this.#commit = commit;
  }

  /** The error that broke the gate. */
  get broken(): TroupeError | undefined {
    return this.#broken;
  }

  /** True when the open batch holds a write. */
  get wrote(): boolean {
    return this.#open;
  }

  /** True when an output made now would leave at once. */
  get clear(): boolean {
    return this.#newest === this.#durable && this.#holds === 0;
  }

  /** A write happened, or may have happened: the open batch must be stored. */
  mark(): void {
    if (this.#open || this.#broken !== undefined) return;
    this.#open = true;
    this.#newest += 1;
    this.#commit();
  }

  /**
   * Storage takes the open batch: later writes belong to the next one. Throws what broke the gate: where a file tells late
   * that it couldn't store a batch, the next one was asked for already, and would be there without it.
   */
  taken(): void {
    this.#open = false;
    if (this.#broken !== undefined) throw this.#broken;
  }

  /** The oldest batch that was taken is settled. */
  settled(outcome: CommitOutcome): void {
    if (!outcome.durable) {
      this.break(outcome.error);
      return;
    }
    this.#durable += 1;
    this.#drain();
  }

  /** Keeps all outputs until `done` settles. When it rejects the gate breaks, and then `failed` is called. */
  hold(done: Promise<void>, failed: () => void): void {
    this.#holds += 1;
    done.then(
      () => {
        this.#holds -= 1;
        this.#drain();
      },
      (cause: unknown) => {
        const error = asTroupeError(cause);
        this.break(error);
        this.#fail(error);
        failed();
      },
    );
  }

  /** Sends an output on its way. */
  emit(output: Output): void {
    if (this.#broken !== undefined) {
      output.fail(this.#broken);
      return;
    }
    if (this.clear && !this.#releasing) {
      this.#releasing = true;
      try {
        output.release();
      } finally {
        this.#releasing = false;
      }
      if (this.#head !== undefined) this.#drain();
      return;
    }
    if (this.#queued >= limits.gateOutputs || this.#queuedBytes + output.bytes > limits.gateBytes) {
      output.fail(gateFull());
      return;
    }
    this.#enqueue(output);
  }

  #enqueue(output: Output): void {
    output.batch = this.#newest;
    if (this.#tail === undefined) this.#head = output;
    else this.#tail.next = output;
    this.#tail = output;
    this.#queued += 1;
    this.#queuedBytes += output.bytes;
  }

  /** Settles when everything written so far is durable; rejects when the gate breaks. */
  barrier(): Promise<void> {
    return new Promise((resolve, reject) => this.emit(new Barrier(resolve, reject)));
  }

  /**
   * As {@link barrier}, but behind it nothing is to be written any more. It has a place in a full gate too: an actor that
   * ends must not take a full gate for a saved state.
   */
  lastBarrier(): Promise<void> {
    if (this.#broken !== undefined || (this.clear && !this.#releasing)) return this.barrier();
    return new Promise((resolve, reject) => this.#enqueue(new Barrier(resolve, reject)));
  }

  /** Fails all that waits for a batch that isn't durable, and all that comes later. */
  break(error: TroupeError): void {
    if (this.#broken !== undefined) return;
    this.#broken = error;
    // What waits for a hold alone is not a matter of this failure: its batch is durable, and it may yet leave.
    this.#fail(error, this.#holds > 0 ? this.#lastDurable() : undefined);
  }

  #lastDurable(): Output | undefined {
    let last: Output | undefined;
    for (let output = this.#head; output !== undefined; output = output.next) {
      if (output.batch > this.#durable) break;
      last = output;
    }
    return last;
  }

  /** Fails the outputs behind `last`, or all of them. */
  #fail(error: TroupeError, last?: Output): void {
    let output = last === undefined ? this.#head : last.next;
    if (last === undefined) this.#head = undefined;
    else last.next = undefined;
    this.#tail = last;
    while (output !== undefined) {
      const next = output.next;
      output.fail(error);
      output = next;
    }
  }

  #drain(): void {
    if (this.#holds > 0 || this.#releasing) return;
    this.#releasing = true;
    try {
      for (let output = this.#head; output !== undefined; output = this.#head) {
        if (output.batch > this.#durable) return;
        this.#unlink(output);
        output.release();
      }
    } finally {
      this.#releasing = false;
    }
  }

  /** Takes the oldest output from the queue. */
  #unlink(head: Output): void {
    this.#head = head.next;
    if (head.next === undefined) this.#tail = undefined;
    head.next = undefined;
    this.#queued -= 1;
    this.#queuedBytes -= head.bytes;
  }
}

function gateFull(): TroupeError {
  return new TroupeErrorClass("gate", "full", "Too many outputs wait for the disk", {
    statusCode: 503,
    metadata: { outputs: limits.gateOutputs, bytes: limits.gateBytes },
  });
}

function asTroupeError(cause: unknown): TroupeError {
  if (TroupeErrorClass.is(cause)) return cause;
  return new TroupeErrorClass("storage", "commit_failed", "The write could not be made durable", {
    statusCode: 500,
    metadata: { applied: "unknown" },
    cause,
  });
}
