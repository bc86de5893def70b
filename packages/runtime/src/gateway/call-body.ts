/** What the body of an HTTP call holds, whether it is a call of an action or a message for a queue. */
import { decodeBody, type Encoding, type SendOptions } from "@troupe/protocol";

/** A call, as its body says. */
export interface CallBody {
  readonly args: readonly unknown[];
  readonly params: unknown;
  readonly input: unknown;
  /** The arguments are a message. */
  readonly send: SendOptions | undefined;
  /** Of a call with an idempotency key. */
  readonly ticket: string | undefined;
}

/** Throws `protocol.malformed_frame`, `value.*`. */
export function decodeCall(kind: "action" | "queue", bytes: Uint8Array, encoding: Encoding): CallBody {
  if (kind === "action") {
    const { args = [], params, input, ticket } = decodeBody("action", bytes, encoding);
    return { args, params, input, send: undefined, ticket };
  }
  const { body, params, input, ...send } = decodeBody("send", bytes, encoding);
  return { args: [body], params, input, send, ticket: undefined };
}
