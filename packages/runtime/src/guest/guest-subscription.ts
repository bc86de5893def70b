/** What comes of a subscription that a guest's actor was told of. */
import { type CarriedSubscribed, toCarriedError } from "@troupe/protocol/actor/v1";
import type { SubscribeAnswer, SubscriptionPlace } from "../ports/instance.ts";
import { Output } from "../ports/output.ts";
import { type Say, SayingOutput } from "./guest-output.ts";

/** Answers the host, if it has asked: else it has told the client already. */
export class GuestSubscription implements SubscribeAnswer {
  readonly #number: number;
  readonly #say: Say;

  constructor(number: number, say: Say) {
    this.#number = number;
    this.#say = say;
  }

  done({ sequence, gap = false }: SubscriptionPlace): Output {
    return this.#output({ retained: sequence !== undefined, sequence: sequence ?? 0, gap });
  }

  refused(error: unknown): Output {
    return this.#output({ error: toCarriedError(error, "cbor") });
  }

  #output(answer: Partial<CarriedSubscribed>): Output {
    if (this.#number === 0) return new Unheard();
    const nothing = { error: undefined, retained: false, sequence: 0, gap: false };
    const value = { ...nothing, ...answer, subscription: this.#number };
    // When the gate breaks nothing is said: a client whose subscription is neither stored nor answered doesn't stay.
    return new SayingOutput({ say: this.#say, saying: { $case: "subscribed", value }, bytes: 32 });
  }
}

class Unheard extends Output {
  readonly bytes = 16;

  release(): void {}

  fail(): void {}
}
