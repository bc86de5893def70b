/**
 * Events of one name, one after the other, for a loop. They come whether somebody takes them or not, so that there is a
 * limit to what waits: past it the loop is told, and ends.
 */
import { limits } from "@troupe/protocol";
import { clientErrors } from "../errors.ts";
import { ItemQueue } from "../stream/item-queue.ts";
import { ResultStream } from "../stream/result-stream.ts";

/** The listening end of one loop. */
export class EventItems<Args extends readonly unknown[]> {
  readonly stream: ResultStream<Args>;
  readonly #name: string;
  readonly #queue: ItemQueue;
  #waiting = 0;

  /** `left`: nobody takes events any more. */
  constructor(name: string, left: () => void) {
    this.#name = name;
    const taken = (items: number): void => {
      this.#waiting -= items;
    };
    // Each one is counted as it is taken.
    this.#queue = new ItemQueue({ taken, cancelled: left }, 2);
    this.stream = new ResultStream<Args>(this.#queue);
    this.stream.onEnd(left);
  }

  push(args: readonly unknown[]): void {
    this.#waiting += 1;
    if (this.#waiting > limits.connectionEventsWaiting)
      this.#queue.fail(clientErrors.eventsOverflow(this.#name, limits.connectionEventsWaiting));
    else this.#queue.push(args);
  }

  /** The connection is over: what waits is taken, then the loop ends. */
  end(): void {
    this.#queue.end();
  }
}
