/**
 * The connections of one guest's actor: their clients are at the host.
 *
 * One whose client the host can keep is an actor's own in all but its socket: what is stored of it is a row of the actor, as
 * with any local one. When the actor sleeps, the last word says which of them stay; the next activation is told of those
 * before it starts, under new numbers.
 */
import {
  type CarriedConnect,
  type CarriedSubscribe,
  decodePayload,
  encodePayload,
  NO_PAYLOAD,
} from "@troupe/protocol/actor/v1";
import type { ConnectionClient, Kept } from "../ports/hibernation.ts";
import type { ActorConnection, ActorInstance, CloseReason, EncodedEvent } from "../ports/instance.ts";
import type { Output } from "../ports/output.ts";
import { SayingOutput } from "./guest-output.ts";
import { GuestSubscription } from "./guest-subscription.ts";
import type { GuestVoice } from "./guest-voice.ts";

/** Connections by the host's numbers. */
export class GuestConnections {
  readonly #voice: GuestVoice;
  /** `gone`: the client left while the connect hooks ran. */
  readonly #known = new Map<number, ActorConnection | "opening" | "gone">();
  /** Those that the activation has let go of. */
  readonly #left = new Set<number>();

  constructor(voice: GuestVoice) {
    this.#voice = voice;
  }

  /** Nothing for one that isn't open. */
  get(number: number): ActorConnection | undefined {
    const found = this.#known.get(number);
    return typeof found === "object" ? found : undefined;
  }

  /** Those that stay while the actor sleeps. */
  get left(): number[] {
    return [...this.#left];
  }

  connect(instance: ActorInstance, { connection: number, id, params, stays }: CarriedConnect): void {
    this.#known.set(number, "opening");
    const sink = this.client(number);
    const client = stays ? sink : undefined;
    const opened = (connection: ActorConnection): Output => {
      if (this.#known.get(number) === "gone") connection.closed();
      this.#known.set(number, connection);
      const value = { connection: number, error: undefined, stays: connection.hibernatable === true };
      return new SayingOutput({ say: this.#voice.say, saying: { $case: "connected", value }, bytes: 16 });
    };
    instance.connect({ id, params: payloadValue(params), sink, client, opened }).catch((cause: unknown) => {
      this.#known.delete(number);
      const error = this.#voice.error(cause);
      this.#voice.say({ $case: "connected", value: { connection: number, error, stays: false } });
    });
  }

  disconnected(number: number): void {
    const found = this.#known.get(number);
    if (found === "opening") this.#known.set(number, "gone");
    else this.#known.delete(number);
    if (typeof found === "object") found.closed();
  }

  subscribe(instance: ActorInstance, wish: CarriedSubscribe): void {
    const { connection, event, subscription, resumes, after } = wish;
    const resume = resumes ? { actorId: instance.record.id, after } : undefined;
    const answer = new GuestSubscription(subscription, this.#voice.say);
    this.get(connection)?.subscribe({ event, resume }, answer);
  }

  /** The host's end of one, also of one that an earlier activation has left. */
  client(number: number): ConnectionClient {
    return {
      kind: "connection",
      encoding: "cbor",
      event: (event: EncodedEvent) => this.#voice.event(event, number),
      close: (reason) => this.#closed(number, reason),
      hibernate: () => {
        this.#left.add(number);
        return true;
      },
      known: (kept) => this.#voice.say(restored({ connection: number, socket: 0 }, kept)),
      unknown: () => {},
      resumed: (_instance, connection) => void this.#known.set(number, connection),
    };
  }

  /** The actor ends a connection. Those that end with it are the host's to close. */
  #closed(number: number, { kind, text }: CloseReason): void {
    this.#left.delete(number);
    if (kind === "kicked") this.#voice.say({ $case: "kick", value: { connection: number, reason: text } });
  }
}

/** What the host is told of a client that is as connected as it was. */
export function restored(
  of: { readonly connection: number; readonly socket: number },
  { params, subscriptions }: Kept,
): Parameters<GuestVoice["say"]>[0] {
  const payload = params === undefined ? NO_PAYLOAD : encodePayload(params, "cbor");
  return { $case: "restored", value: { ...of, params: payload, events: [...subscriptions] } };
}

/** What a payload says; nothing for an empty one. */
export function payloadValue(payload: Uint8Array): unknown {
  return payload.byteLength === 0 ? undefined : decodePayload(payload, "cbor");
}
