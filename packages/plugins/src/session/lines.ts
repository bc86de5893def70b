/**
 * The running instances of one session, by number.
 *
 * A number is never used twice, so what an instance says after its line was closed is known to be late and dropped,
 * and a number that was never given is a plugin that makes things up.
 */
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { CarriedRow } from "@troupe/protocol/actor/v1";
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
      send: (word) => this.#say(instance, word),
      close: () => void this.#ears.delete(instance),
    };
  }

  /** An actor with more rows than a frame holds can't start; that is its own end, not the plugin's. */
  #say(instance: number, word: ActorWord): void {
    const ear = this.#ears.get(instance);
    if (ear === undefined) return;
    const bytes = word.$case === "start" ? rowBytes(word.value.rows) : 0;
    if (bytes <= limits.batchBytes) return this.#send(instance, word);
    this.#ears.delete(instance);
    ear.lost(pluginErrors.frameTooLong(bytes, limits.batchBytes));
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

function rowBytes(rows: readonly CarriedRow[]): number {
  return rows.reduce((bytes, row) => bytes + row.key.length + row.value.byteLength, 0);
}
