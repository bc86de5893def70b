/**
 * Flows: what leaves an actor item by item, no faster than its reader takes it. The items of a streamed action, the
 * chunks of an HTTP answer.
 */
import type { Output } from "./output.ts";

/** The actor's end of a flow, as its reader uses it. */
export interface FlowControl {
  /** The reader takes so many more items. There is none at first. */
  credit(items: number): void;
  /** The reader wants no more. Nothing follows. Does nothing behind the end. */
  cancel(reason: unknown): void;
}

/** Turns what flows into outputs, which the actor sends through its gate. One of `end` and `error`, once, and last. */
export interface FlowSink<T> {
  /** Throws for an item that can't be sent. */
  item(item: T): Output;
  end(): Output;
  error(cause: unknown): Output;
}
