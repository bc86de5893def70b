/** The answer to a client that wants to listen to an event. */
import type { TroupeError } from "@troupe/base";
import { type Encoding, encodeServerFrame, type Message, toWireError } from "@troupe/protocol";
import type { ConnectionSink, SubscribeAnswer, SubscriptionPlace } from "../ports/instance.ts";
import type { Output } from "../ports/output.ts";
import { MessageOutput, type MessageSink } from "./calls.ts";

/** The socket that it came by. */
export interface SubscriptionSink extends Pick<MessageSink, "post">, Pick<ConnectionSink, "close"> {}

/** Answers one frame. */
export class SubscriptionReply implements SubscribeAnswer {
  readonly #id: number;
  readonly #encoding: Encoding;
  readonly #sink: SubscriptionSink;

  constructor(id: number, encoding: Encoding, sink: SubscriptionSink) {
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
    // The gate broke, and the subscription isn't stored: a client that connects anew subscribes anew.
    return new MessageOutput(this.#sink, message, (error: TroupeError) => {
      this.#sink.post(this.#error(error));
      this.#sink.close({ kind: "broken", text: `${error.group}.${error.code}` });
    });
  }

  #error(error: unknown): Message {
    const frame = { kind: "error", id: this.#id, error: toWireError(error, false) } as const;
    return encodeServerFrame(frame, this.#encoding);
  }
}
