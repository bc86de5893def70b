/**
 * Actors carried in this process: the same definitions behind actor/v1, every message encoded and delivered in a turn
 * of its own. What holds for an actor of this process holds for it as well.
 */
import type { Env, TroupeError } from "@troupe/base";
import { type FromActor, FromActorCodec, type ToActor, ToActorCodec } from "@troupe/protocol/actor/v1";
import { carriedActor } from "../../src/actor/carried/definition.ts";
import type { AnyActorDefinition } from "../../src/actor/definition.ts";
import { Guest } from "../../src/guest/guest.ts";
import type { ActorCarrier, ActorEar, ActorLine, CarriedDeclaration } from "../../src/ports/carried.ts";

/** Definitions of carried actors that run the given ones. */
export function carried<U extends Readonly<Record<string, AnyActorDefinition>>>(use: U): U {
  const entries = Object.entries(use).map(([name, definition]) => {
    const open = ({ env }: { env: Env }) => Promise.resolve(new CarrierHere(env, name, definition));
    return [name, definition.behaviour.kind === "local" ? carriedActor(open) : definition];
  });
  // The same names, and behind each the same actor: its types are those of the definition that it runs.
  return Object.fromEntries(entries) as U;
}

/** A guest in this process. */
export class CarrierHere implements ActorCarrier {
  readonly encoding = "cbor";
  readonly #env: Env;
  readonly #guest: Guest;
  readonly #ears = new Map<number, ActorEar>();
  #last = 0;
  #open = true;

  constructor(env: Env, name: string, definition: AnyActorDefinition) {
    this.#env = env;
    this.#guest = new Guest({
      env,
      use: { [name]: definition },
      send: (message) => this.#fromGuest(message),
    });
  }

  get declaration(): CarriedDeclaration {
    const [declaration] = this.#guest.declarations;
    if (declaration === undefined) throw new Error("the guest declares its actor");
    return declaration;
  }

  get open(): boolean {
    return this.#open;
  }

  connect(ear: ActorEar): ActorLine {
    this.#last += 1;
    const instance = this.#last;
    this.#ears.set(instance, ear);
    return {
      send: (body) => this.#toGuest({ instance, body }),
      close: () => this.#ears.delete(instance),
    };
  }

  close(): Promise<void> {
    this.#open = false;
    return Promise.resolve();
  }

  /** The guest is gone from one moment to the next. */
  lose(error: TroupeError): void {
    this.#open = false;
    this.#guest.lost(error);
    for (const ear of this.#ears.values()) ear.lost(error);
  }

  #toGuest(message: ToActor): void {
    const bytes = ToActorCodec.encode(message).finish();
    this.#env.afterTurn(() => this.#open && this.#guest.receive(ToActorCodec.decode(bytes)));
  }

  #fromGuest(message: FromActor): void {
    const bytes = FromActorCodec.encode(message).finish();
    this.#env.afterTurn(() => {
      const { instance, body } = FromActorCodec.decode(bytes);
      if (this.#open && body !== undefined) this.#ears.get(instance)?.heard(body);
    });
  }
}
