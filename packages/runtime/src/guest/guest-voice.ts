/**
 * GuestVoice: all that one guest's actor says, in order.
 *
 * An event is delivered to its listeners one after the other, in one go; it crosses the line once, with all of their
 * numbers. So the voice keeps an event until something else is said, or the turn's microtasks run.
 */
import type { LogFields } from "@troupe/base";
import { decodeServerFrame } from "@troupe/protocol";
import { type CarriedError, encodePayload, toCarriedError } from "@troupe/protocol/actor/v1";
import type { ActorSaying } from "../ports/carried.ts";
import type { EncodedEvent } from "../ports/instance.ts";
import type { FailureLog } from "./failure-log.ts";
import type { Say } from "./guest-output.ts";

/** Speaks for one instance. */
export class GuestVoice {
  readonly #send: Say;
  /** Whose voice it is, for the log. */
  about: LogFields | undefined;
  readonly #failed: FailureLog | undefined;
  #event: EncodedEvent | undefined;
  #listeners: number[] = [];

  /** `failed` is told of every error before it leaves, and says under which id it is in the log here, if it is. */
  constructor(send: Say, failed?: FailureLog) {
    this.#send = send;
    this.#failed = failed;
  }

  readonly say = (saying: ActorSaying): void => {
    this.#finish();
    this.#send(saying);
  };

  /** The message for an error that leaves. `starting`: it kept the actor from starting. */
  error(cause: unknown, starting?: "starting"): CarriedError {
    return toCarriedError(cause, "cbor", this.#failed?.(cause, this.about, starting));
  }

  /** An event for one connection. */
  event(event: EncodedEvent, connection: number): void {
    if (event !== this.#event) {
      this.#finish();
      this.#event = event;
      void Promise.resolve().then(() => this.#finish());
    }
    this.#listeners.push(connection);
  }

  #finish(): void {
    const event = this.#event;
    if (event === undefined) return;
    const connections = this.#listeners;
    this.#event = undefined;
    this.#listeners = [];
    const frame = decodeServerFrame(event.message("cbor"), "cbor");
    if (frame.kind !== "event") return;
    const args = encodePayload(frame.args, "cbor");
    // The gate here has let it go already: what the host's gate must wait for was written before.
    const unconfirmed = event.unconfirmed === true;
    this.#send({
      $case: "event",
      value: { name: frame.name, args, connections, unconfirmed, sequence: frame.sequence ?? 0 },
    });
  }
}
