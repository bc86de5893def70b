/** What comes of a subscription that a guest's actor was told of. */
import type { TroupeError } from "@troupe/base";
import { type CarriedSubscribed, toCarriedError } from "@troupe/protocol/actor/v1";
import type { ActorSaying } from "../ports/carried.ts";
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
    const failed = (error: TroupeError): ActorSaying =>
      this.#saying({ error: toCarriedError(error, "cbor") });
    return new SayingOutput({ say: this.#say, saying: this.#saying(answer), bytes: 32, failed });
  }

  #saying(answer: Partial<CarriedSubscribed>): ActorSaying {
    const nothing = { error: undefined, retained: false, sequence: 0, gap: false };
    return { $case: "subscribed", value: { ...nothing, ...answer, subscription: this.#number } };
  }
}

class Unheard extends Output {
  readonly bytes = 16;

  release(): void {}

  fail(): void {}
}
