/**
 * MemoryCarrier: a carrier to code in the same process. Every message is encoded, and delivered in a turn of its own.
 */
import type { Env, TroupeError } from "@troupe/base";
import { type FromActor, FromActorCodec, type ToActor, ToActorCodec } from "@troupe/protocol/actor/v1";
import type { ActorCarrier, ActorEar, ActorLine, CarriedDeclaration } from "../carried.ts";

/** What runs the code: a guest. */
export interface Carried {
  readonly declarations: readonly CarriedDeclaration[];
  receive(message: ToActor): void;
  /** The runtime is gone. */
  lost(error: TroupeError): void;
}

/** A way to one actor's code. */
export class MemoryCarrier implements ActorCarrier {
  readonly encoding = "cbor";
  readonly declaration: CarriedDeclaration;
  /** Small, so that who runs here is used to starts in several messages. */
  readonly startBytes = 512;
  readonly #env: Pick<Env, "afterTurn">;
  readonly #carried: Carried;
  readonly #ears = new Map<number, ActorEar>();
  #last = 0;
  #open = true;

  /** `make` is given where the code's messages go. It declares one actor. */
  constructor(env: Pick<Env, "afterTurn">, make: (send: (message: FromActor) => void) => Carried) {
    this.#env = env;
    this.#carried = make((message) => this.#toRuntime(message));
    const [declaration] = this.#carried.declarations;
    if (declaration === undefined) throw new RangeError("the code declares one actor");
    this.declaration = declaration;
  }

  get open(): boolean {
    return this.#open;
  }

  connect(ear: ActorEar): ActorLine {
    this.#last += 1;
    const instance = this.#last;
    this.#ears.set(instance, ear);
    return {
      send: (body) => this.#toCode({ instance, body }),
      close: () => void this.#ears.delete(instance),
    };
  }

  close(): Promise<void> {
    this.#open = false;
    return Promise.resolve();
  }

  /** The code is gone from one moment to the next; what is on its way is lost with it. */
  lose(error: TroupeError): void {
    if (!this.#open) return;
    this.#open = false;
    this.#carried.lost(error);
    const ears = [...this.#ears.values()];
    this.#ears.clear();
    for (const ear of ears) ear.lost(error);
  }

  #toCode(message: ToActor): void {
    const bytes = ToActorCodec.encode(message);
    this.#env.afterTurn(() => {
      if (this.#open) this.#carried.receive(ToActorCodec.decode(bytes));
    });
  }

  #toRuntime(message: FromActor): void {
    const bytes = FromActorCodec.encode(message);
    this.#env.afterTurn(() => {
      const { instance, body } = FromActorCodec.decode(bytes);
      if (this.#open && body !== undefined) this.#ears.get(instance)?.heard(body);
    });
  }
}
