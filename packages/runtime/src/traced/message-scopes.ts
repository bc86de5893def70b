/**
 * MessageScopes: the scopes of the messages that one activation has given out, each from its delivery to its end.
 *
 * A handler is a loop over its messages, so that no function could be run in a message's scope: `c.scope`, `c.tool` and
 * `c.llm` of that handler belong to the message that it took last.
 */
import type { Relay, Scope } from "@troupe/relay";
import { actorErrors } from "../errors.ts";
import type { ActorRecord } from "../ports/directory.ts";
import type { QueueMessage } from "../queue/message.ts";
import type { DeliveryEnd, MessageWatch } from "../queue/message-watch.ts";
import { actorFacts, capturedTrace, endScope, parentOf } from "./tracing.ts";
import { endWhenDurable } from "./work-scope.ts";

/** What it works with. */
export interface MessageScopesParts {
  readonly relay: Relay;
  readonly record: ActorRecord;
  readonly now: () => number;
  /** Settles when what was written is durable. */
  readonly durable: () => Promise<void>;
}

/** The scopes of one activation's messages. */
export class MessageScopes implements MessageWatch {
  readonly #parts: MessageScopesParts;
  readonly #open = new Map<number, Scope>();

  constructor(parts: MessageScopesParts) {
    this.#parts = parts;
  }

  /** The scope of a message that is out. */
  of(message: QueueMessage): Scope | undefined {
    return this.#open.get(message.id);
  }

  trace(): string | undefined {
    return capturedTrace(this.#parts.relay);
  }

  taken(message: QueueMessage): void {
    const { relay, record, now } = this.#parts;
    const { id, name, createdAt, attempts, trace } = message;
    const facts = {
      "troupe.queue_wait_ms": now() - createdAt,
      "troupe.attempt": attempts + 1,
      "troupe.message": id,
    };
    const scope = relay.pushScope(`${record.name}.${name}`, "function", {
      parent: parentOf(relay, trace),
      metadata: { ...actorFacts(record, "message"), ...facts },
    });
    this.#open.set(id, scope);
  }

  ended(message: QueueMessage, how: DeliveryEnd): void {
    const scope = this.#open.get(message.id);
    if (scope === undefined) return;
    this.#open.delete(message.id);
    const { relay, durable } = this.#parts;
    if (how === "handled") endWhenDurable(relay, scope, durable());
    else endScope(relay, scope, { metadata: { "otel.status_code": "ERROR", "error.type": `queue.${how}` } });
  }

  /** The activation has ended: what is still out is delivered again by the next one. */
  close(): void {
    for (const scope of this.#open.values())
      endScope(this.#parts.relay, scope, { error: actorErrors.stopped(this.#parts.record.id) });
    this.#open.clear();
  }
}
