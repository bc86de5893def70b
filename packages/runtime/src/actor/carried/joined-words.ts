/**
 * JoinedWords: what is said between a Write that is joined to an answer, and that answer.
 *
 * The end of a message that the host keeps, or of a scheduled call, comes with a Reply or with a question, which is another
 * word than the Write of what its code did. A batch may be taken between any two words. So a joined Write waits here, with what
 * is said behind it, until that word has come: then all of them are heard in one turn, and are one batch. Where the word never
 * comes (the code is gone) nothing of it is stored, and the message comes again.
 */
import { engineLimits } from "@troupe/protocol";
import { FromActorCodec } from "@troupe/protocol/actor/v1";
import { hostingErrors } from "../../errors.ts";
import type { ActorSaying } from "../../ports/carried.ts";

/** What may stand between the two: none of it is the code's last word, and none of it asks anything. */
const between: ReadonlySet<ActorSaying["$case"]> = new Set([
  "write",
  "reply",
  "event",
  "kick",
  "rest",
  "end",
  "socketMessage",
  "socketClose",
  "socketAcknowledge",
  "streamItem",
]);

/** Those of one activation. */
export class JoinedWords {
  readonly #tooMany: (cause: unknown) => void;
  #waiting: ActorSaying[] | undefined;
  /** The call whose answer is waited for. */
  #call = 0;

  /** `tooMany` is told when more words wait for one answer than may: nothing of them is stored. */
  constructor(tooMany: (cause: unknown) => void) {
    this.#tooMany = tooMany;
  }

  /** What is to be heard now. */
  heard(saying: ActorSaying): readonly ActorSaying[] {
    const waiting = this.#waiting;
    if (waiting === undefined) {
      if (saying.$case !== "write" || saying.value.joined === undefined) return [saying];
      this.#call = saying.value.joined;
      this.#waiting = [owned(saying)];
      return [];
    }
    const answers = saying.$case === "reply" && saying.value.call === this.#call;
    if (between.has(saying.$case) && !answers) {
      if (waiting.length < engineLimits.carriedJoinedWords) waiting.push(owned(saying));
      else this.#tooMany(hostingErrors.outOfTurn("more than may wait for one answer"));
      return [];
    }
    this.#waiting = undefined;
    waiting.push(saying);
    return waiting;
  }
}

/** A word whose bytes are its own: those of one that arrives are its carrier's, and go with the next. */
function owned(saying: ActorSaying): ActorSaying {
  const bytes = FromActorCodec.encode({ instance: 0, body: saying });
  return FromActorCodec.decode(bytes).body ?? saying;
}
