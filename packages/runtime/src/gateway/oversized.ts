/** A message past its actor's limit: where it can be told which call it makes, that call fails, and nothing else. */
import { TroupeError } from "@troupe/base";
import { callIdIn, type Message } from "@troupe/protocol";
import type { ActorConnection } from "../ports/instance.ts";
import { MessageOutput, type MessageSink } from "./calls.ts";
import { errorMessage } from "./error-message.ts";

/** True when `cause` is a message's length and the call that it makes was told. */
export function refusedAlone(
  cause: unknown,
  data: Message,
  to: {
    /** Absent while its actor sleeps. */
    readonly connection: Pick<ActorConnection, "emit"> | undefined;
    readonly sink: Pick<MessageSink, "encoding" | "post">;
  },
): boolean {
  if (!TroupeError.is(cause) || cause.code !== "incoming_too_long") return false;
  const { encoding } = to.sink;
  const id = callIdIn(data, encoding);
  if (id === undefined) return false;
  const message = errorMessage(cause, encoding, id);
  if (to.connection === undefined) to.sink.post(message);
  else to.connection.emit(new MessageOutput(to.sink, message));
  return true;
}
