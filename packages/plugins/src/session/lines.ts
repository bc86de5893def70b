/**
 * The running instances of one session, by number.
 *
 * A number is never used twice, so what an instance says after its line was closed is known to be late and dropped,
 * and a number that was never given is a plugin that makes things up.
 */
import { TroupeError } from "@troupe/base";
import type { ActorEar, ActorLine, ActorSaying, ActorWord } from "@troupe/runtime";
import { pluginErrors } from "../errors.ts";

/** What became of something that an instance said. */
export type Heard = "delivered" | "late" | "never_given";

/** Lines of instances. */
export class Lines {
  readonly #send: (instance: number, word: ActorWord) => void;
  readonly #ears = new Map<number, ActorEar>();
  #last = 0;

  constructor(send: (instance: number, word: ActorWord) => void) {
    this.#send = send;
  }

  get size(): number {
    return this.#ears.size;
  }

  connect(ear: ActorEar): ActorLine {
    this.#last += 1;
    const instance = this.#last;
    this.#ears.set(instance, ear);
    return {
      send: (word) => {
        if (this.#ears.has(instance)) this.#send(instance, word);
      },
      close: () => void this.#ears.delete(instance),
    };
  }

  /** An ear that throws loses its line, and no other: the damage is that actor's. */
  heard(instance: number, saying: ActorSaying): Heard {
    const ear = this.#ears.get(instance);
    if (ear === undefined) return instance > 0 && instance <= this.#last ? "late" : "never_given";
    try {
      ear.heard(saying);
    } catch (thrown) {
      this.#ears.delete(instance);
      ear.lost(
        TroupeError.is(thrown) ? thrown : pluginErrors.violation("what it said can't be used", thrown),
      );
    }
    return "delivered";
  }

  /** Every line is lost. One that is opened by someone who hears of it is lost as well. */
  lose(error: TroupeError): void {
    for (const [instance, ear] of this.#ears) {
      this.#ears.delete(instance);
      ear.lost(error);
    }
  }
}
