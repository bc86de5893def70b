/** The answer to a client that wants to listen to an event. */
import type { TroupeError } from "@troupe/base";
import { type Encoding, encodeServerFrame, type Message, toWireError } from "@troupe/protocol";
import type { SubscribeAnswer, SubscriptionPlace } from "../ports/instance.ts";
import type { Output } from "../ports/output.ts";
import { MessageOutput, type MessageSink } from "./calls.ts";

/** Answers one frame. */
export class SubscriptionReply implements SubscribeAnswer {
  readonly #id: number;
  readonly #encoding: Encoding;
  readonly #sink: Pick<MessageSink, "post">;

  constructor(id: number, encoding: Encoding, sink: Pick<MessageSink, "post">) {
    this.#id = id;
    this.#encoding = encoding;
    this.#sink = sink;
  }

  done(place: SubscriptionPlace): Output {
    return this.#output(encodeServerFrame({ kind: "subscribed", id: this.#id, ...place }, this.#encoding));
  }

  refused(error: unknown): Output {
    return this.#output(this.#error(error));
  }

  #output(message: Message): Output {
    // The gate broke.
    return new MessageOutput(this.#sink, message, (error: TroupeError) => {
      this.#sink.post(this.#error(error));
    });
  }

  #error(error: unknown): Message {
    const frame = { kind: "error", id: this.#id, error: toWireError(error, false) } as const;
    return encodeServerFrame(frame, this.#encoding);
  }
}
