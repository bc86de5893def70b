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

/** Sends an event to all who listen; keeps it, if it is one that is retained. Throws `event.too_large` as well. */
export function broadcast(activation: Activation, speech: EventParts): void {
  const { name, gated } = speech;
  const targets = activation.connections.listeners(name);
  // What doesn't wait for the disk has no place among what is on it.
  const keep = gated ? activation.behaviour.events?.get(name)?.retain : undefined;
  if (keep === undefined || keep === 0) send(activation, targets, speech);
  else sendRetained(activation, targets, { ...speech, keep });
}

function sendRetained(
  activation: Activation,
  targets: readonly Connection[],
  { keep, ...event }: EventParts & { readonly keep: number },
): void {
  const { retained, descriptor } = activation;
  const { maxOutgoingMessageSize } = descriptor.options;
  if (targets.length === 0) checkEvent(event.name, event.args, maxOutgoingMessageSize);
  // Its sequence is known before it is kept, so that one that can't be sent isn't.
  const sequence = retained.newest(event.name) + 1;
  const message = new EventMessage({ ...event, sequence }, targets, maxOutgoingMessageSize);
  retained.append(event.name, event.args, keep);
  if (targets.length > 0) activation.emit(new EventOutput(message, targets));
}
