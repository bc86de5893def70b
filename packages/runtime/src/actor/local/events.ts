/** What an actor's own code sends: events to those who listen, or to some connections. */
import type { Activation } from "./activation.ts";
import type { Connection } from "./connection.ts";
import { checkEvent, EventMessage, EventOutput, type EventParts } from "./outputs.ts";

/** Sends an event to these connections. Throws `value.*`, `message.outgoing_too_long`. */
export function send(activation: Activation, targets: readonly Connection[], event: EventParts): void {
  const { maxOutgoingMessageSize } = activation.descriptor.options;
  if (targets.length === 0) {
    checkEvent(event.name, event.args, maxOutgoingMessageSize);
    return;
  }
  const message = new EventMessage(event, targets, maxOutgoingMessageSize);
  if (event.gated) {
    activation.emit(new EventOutput(message, targets));
    return;
  }
  for (const target of targets) target.deliver(message);
}
