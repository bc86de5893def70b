/** MessageWatch: told of what becomes of an actor's messages, by whoever gives them out. */
import type { QueueMessage } from "./message.ts";

/** How a delivery ended: `restored` and `interrupted` ones never counted, a message `given_back` comes again. */
export type DeliveryEnd = "handled" | "dead" | "given_back" | "interrupted" | "restored";

/** Follows messages. */
export interface MessageWatch {
  /** What goes on where a message is sent, as text: it goes with the message. */
  trace(): string | undefined;
  /** A message was given out. */
  taken(message: QueueMessage): void;
  /** A message that may have been given out isn't any more. */
  ended(message: QueueMessage, how: DeliveryEnd): void;
}
