/**
 * The streamed results that are on their way over one socket, by the ids of their calls.
 */
import { limits } from "@troupe/protocol";
import { streamErrors } from "../errors.ts";
import type { FlowControl } from "../ports/flow.ts";

/** Finds the actor's end of a stream. */
export class SocketStreams {
  readonly #open = new Map<number, FlowControl>();

  /** A result begins to flow: the client takes the first items without being asked. */
  begin(id: number, control: FlowControl): void {
    this.#open.set(id, control);
    control.credit(limits.streamItems);
  }

  /** The result is over. False when its client had no use for it any more. */
  end(id: number): boolean {
    return this.#open.delete(id);
  }

  /** The client takes more. */
  credit(id: number, items: number): void {
    this.#open.get(id)?.credit(items);
  }

  /** The client wants no more. True when there was such a stream. */
  cancel(id: number): boolean {
    const control = this.#open.get(id);
    this.#open.delete(id);
    control?.cancel(streamErrors.cancelled());
    return control !== undefined;
  }

  /** The socket is gone. */
  cancelAll(): void {
    for (const id of [...this.#open.keys()]) this.cancel(id);
  }
}
