/**
 * Isolates that wait for a source, so that a dynamic actor that wakes doesn't wait for one to be made.
 *
 * They have the memory limit that was asked for last: most runtimes know one. When one was taken and has its source, another
 * is made, one at a time, since the making holds up the process's own thread for a moment. One of another limit, and one
 * too many at once, is made while its actor waits.
 */
import { limits } from "@troupe/protocol";
import { type PreparedIsolate, prepareIsolate } from "./prepared-isolate.ts";

/** None is made while actors wake one after the other: the next one would wait for it. */
const REST_MS = 20;

/** Isolates of one process. */
export class IsolatePool {
  #waiting: PreparedIsolate[] = [];
  #memoryLimit: number | undefined;
  #making = false;
  #timer: NodeJS.Timeout | undefined;

  /** One of so many MiB. */
  async take(memoryLimit: number): Promise<PreparedIsolate> {
    if (memoryLimit !== this.#memoryLimit) this.#renew(memoryLimit);
    const ready = this.#waiting.pop();
    // What waited may have come to grief with nobody looking.
    return ready === undefined || ready.isolate.isDisposed ? await prepareIsolate(memoryLimit) : ready;
  }

  /** An actor has its isolate: those that are missing are made, one after the other, when no other follows. */
  fill(): void {
    if (this.#making || this.#memoryLimit === undefined || this.#waiting.length >= limits.isolatesWaiting)
      return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#make(), REST_MS);
  }

  #renew(memoryLimit: number): void {
    for (const { isolate } of this.#waiting) if (!isolate.isDisposed) isolate.dispose();
    this.#waiting = [];
    this.#memoryLimit = memoryLimit;
  }

  async #make(): Promise<void> {
    const memoryLimit = this.#memoryLimit ?? limits.isolateMemoryMb;
    this.#making = true;
    try {
      const made = await prepareIsolate(memoryLimit);
      if (memoryLimit === this.#memoryLimit) this.#waiting.push(made);
      else made.isolate.dispose();
    } catch (cause) {
      // Whoever needs one next is told.
      process.stderr.write(`no isolate could be made ahead: ${String(cause)}\n`);
      return;
    } finally {
      this.#making = false;
    }
    this.fill();
  }
}
