/**
 * Exporter: a subscriber with an outside. Registering, flushing and ending are alike for all; what becomes of an event
 * is each one's own.
 *
 * No exporter sends secrets unless `includeSecrets` says so: events go through `redaction/secrets.ts` before anything
 * else sees them.
 */
import { relayErrors } from "../errors.ts";
import type { RelayEvent } from "../events/event.ts";
import { attempt, checkReadable } from "../given.ts";
import type { Registration, RegistrationOptions } from "../middleware/registration.ts";
import { eventWithoutSecrets } from "../redaction/secrets.ts";
import type { Relay } from "../relay.ts";

/** What may be said of any exporter. */
export interface ExporterOptions {
  /** Sends what looks like a credential as well. Default: false. */
  readonly includeSecrets?: boolean;
}

/** What became of events on their way out, by reason. Bounded: there are as many rows as reasons. */
export interface RuntimeDiagnostic {
  readonly code: string;
  readonly message: string;
  readonly count: number;
}

/** Sends events somewhere. Register it with a relay, and shut it down in the end. */
export abstract class Exporter {
  protected readonly includesSecrets: boolean;
  /** Both stay when it isn't registered any more: what was emitted before still comes. */
  #relay: Relay | undefined = undefined;
  #registration: Registration | undefined = undefined;
  #isRegistered = false;
  #closed = false;

  constructor(options: ExporterOptions) {
    checkReadable(options);
    this.includesSecrets = options.includeSecrets === true;
  }

  /** Takes an event, as it may be sent. What it answers holds the subscriber up: its queue fills, and drops. */
  protected abstract take(event: RelayEvent): Promise<void> | undefined;
  /** Settles when all that was taken is where it belongs. Throws when something of it is lost. */
  protected abstract drained(): Promise<void>;
  /** Lets go of what is open. Called once, behind the last `drained`. */
  protected abstract closed(): Promise<void>;

  /** What `take` gets of an event. One that shows little of it may take it as it is, and look for secrets in that little. */
  protected withoutSecrets(event: RelayEvent): RelayEvent {
    return eventWithoutSecrets(event);
  }

  /** Subscribes to `relay`. One exporter, one relay. Throws `relay.name_taken`, `relay.exporter_closed`. */
  register(
    relay: Relay,
    name: string,
    options: Pick<RegistrationOptions, "scope" | "queueLimit"> = {},
  ): void {
    if (this.#closed) throw relayErrors.exporterClosed();
    if (this.#isRegistered) throw relayErrors.nameTaken("exporter registration", name);
    const isRelay = attempt(() => typeof relay.registerSubscriber === "function");
    if (isRelay !== true) throw relayErrors.optionInvalid("relay", "a relay");
    const handle = (event: RelayEvent): Promise<void> | undefined =>
      this.take(this.includesSecrets ? event : this.withoutSecrets(event));
    this.#registration = relay.registerSubscriber(name, handle, options);
    this.#isRegistered = true;
    this.#relay = relay;
  }

  /** False when it isn't registered. What was emitted before is still sent. */
  deregister(): boolean {
    this.#isRegistered = false;
    return this.#registration?.deregister() ?? false;
  }

  /** Settles when all that was emitted before is out, whatever other subscribers do. Throws `relay.export_failed` when something was lost since. */
  async forceFlush(): Promise<void> {
    await this.#relay?.flushSubscribers(this.#registration);
    await this.drained();
  }

  /** Flushes, deregisters and lets go of what is open, whatever of it fails. A second time does nothing. */
  async shutdown(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.forceFlush();
    } finally {
      this.deregister();
      await this.closed();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }
}
