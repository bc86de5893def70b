/** `c.queue` of one handler, and all that the handler has taken: by itself, and in loops. */
import type { QueueMessage } from "../../queue/message.ts";
import { type Occupation, Receiver } from "../../queue/receiver.ts";
import type { UntypedQueue } from "../types/queue.ts";
import type { Activation } from "./activation.ts";
import { QueueApi } from "./queue-api.ts";

/** The queues as one handler has them. */
export class HandlerQueue {
  readonly api: UntypedQueue;
  readonly #activation: Activation;
  readonly #occupation: Occupation | undefined;
  readonly #receivers: Receiver[] = [];

  constructor(activation: Activation, occupation: Occupation | undefined) {
    this.#activation = activation;
    this.#occupation = occupation;
    this.api = new QueueApi(activation, this.#receiver(), () => this.#receiver());
  }

  /** The message that the handler works on, of several the last. */
  get latest(): QueueMessage | undefined {
    for (const receiver of this.#receivers.toReversed())
      if (receiver.latest !== undefined) return receiver.latest;
    return undefined;
  }

  /** The handler has ended. */
  end(failed: boolean): void {
    // Left behind by a stop: what it had is in its place for the next activation.
    if (this.#activation.phase.tag === "stopped") return;
    const { stopping } = this.#activation;
    for (const receiver of this.#receivers) receiver.end({ failed, stopping });
  }

  #receiver(): Receiver {
    const { queues, env } = this.#activation;
    const receiver = new Receiver(queues, env, this.#occupation);
    this.#receivers.push(receiver);
    return receiver;
  }
}
