/**
 * The queues of one activation, and when the actor must be woken for them.
 *
 * Only an actor with `run` is woken: for messages whose time comes, and, when its process dies in the middle of messages,
 * for those that it left. So while such an actor is awake and has messages, its stored alarm lies in the past, and whoever
 * starts the next process finds it. An orderly end that cuts `run` short leaves the alarm where it is if there are messages
 * of queues that `run` has taken from.
 */
import type { RowChange } from "../../ports/storage.ts";
import { Queues } from "../../queue/queues.ts";
import { MessageScopes } from "../../traced/message-scopes.ts";
import type { Activation } from "./activation.ts";
import { durable } from "./durable.ts";
import { earliest } from "./expiry.ts";
import { SendOrder } from "./send-order.ts";

/** The queues of one activation. */
export class Queueing {
  readonly queues: Queues;
  /** Where there is a relay. */
  readonly scopes: MessageScopes | undefined;
  readonly order = new SendOrder();
  readonly #activation: Activation;
  /** In the past from the first message on. */
  readonly #begun: number;
  #stored: number | null;
  /** Once it has begun to stop: whether that has ended `run`. */
  #cutShort: boolean | undefined;

  /** `row`: the ledger's, of an actor that had queues before. */
  constructor(activation: Activation, row?: Uint8Array) {
    const { env, store, log, behaviour, descriptor } = activation;
    this.#activation = activation;
    this.#begun = env.clock.now();
    this.scopes = scopesOf(activation);
    this.queues = new Queues(
      {
        env,
        log,
        stored: store,
        wrote: () => activation.wrote(),
        maxMessages: descriptor.options.maxQueueSize,
        maxBytes: descriptor.options.maxQueueMessageSize,
        policyOf: (name) => behaviour.queues.policyOf(name),
        watch: this.scopes,
      },
      row,
    );
    this.#stored = earliest(this.queues.alarm, activation.scheduledAt);
  }

  /** When the actor must be woken for its queues (wall clock, ms); `null` for never. */
  get wakeAt(): number | null {
    if (this.#activation.behaviour.run === undefined) return null;
    const { queues } = this;
    const left = this.#running && queues.hasWaiting((name) => this.#wants(name));
    return left ? this.#begun : queues.delayedUntil;
  }

  /** True when the stored alarm isn't what it should be. */
  get stale(): boolean {
    return earliest(this.wakeAt, this.#activation.scheduledAt) !== this.#stored;
  }

  /** The activation begins to end: nobody waits here any more. */
  end(): void {
    this.#cutShort = this.#activation.running !== undefined;
    this.queues.end();
  }

  /** Takes what must be stored. Returns the actor's alarm when it changed. */
  take(into: RowChange[]): number | null | undefined {
    this.queues.alarm = this.wakeAt;
    this.queues.take(into);
    const alarm = earliest(this.queues.alarm, this.#activation.scheduledAt);
    if (alarm === this.#stored) return undefined;
    this.#stored = alarm;
    return alarm;
  }

  get #running(): boolean {
    const { phase, running } = this.#activation;
    return this.#cutShort ?? (running !== undefined || phase.tag === "loading");
  }

  /** Before its end it may yet ask for anything. */
  #wants(name: string): boolean {
    return this.#cutShort === undefined || this.#activation.runWork?.wants(name) === true;
  }
}

function scopesOf(activation: Activation): MessageScopes | undefined {
  const { relay, record, env } = activation;
  if (relay === undefined) return undefined;
  const scopes = new MessageScopes({
    relay,
    record,
    now: () => env.clock.now(),
    durable: () => durable(activation),
  });
  activation.atEnd(() => scopes.close());
  return scopes;
}
