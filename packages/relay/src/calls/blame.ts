/**
 * Blame: whose failure it is that an execution intercept throws. It is its own, and is told of under its name, unless the rest of the call has
 * thrown it to the intercept, which gives it on; a copy that went through another process is taken for that by the process's own session.
 */
import { TroupeError } from "@troupe/base";
import type { Entry } from "../middleware/level.ts";
import type { Call } from "./call-parts.ts";
import { failedWithin } from "./conditional.ts";
import { isUnshown } from "./unshown.ts";

/** Of one intercept in one call. */
export class Blame {
  readonly #call: Call;
  /** Undefined: it is the provider's, which is never blamed. */
  readonly #entry: Entry | undefined;
  /** Made when something is thrown to it: most calls go well. */
  #given: Set<unknown> | undefined = undefined;

  constructor(call: Call, entry: Entry | undefined) {
    this.#call = call;
    this.#entry = entry;
  }

  /** The rest of the call has thrown this to it: whoever gives it on hasn't failed with it. */
  gave(error: unknown): void {
    this.#given ??= new Set();
    this.#given.add(error);
  }

  /** What the level above is thrown where it throws `error`. */
  of(error: unknown): unknown {
    if (this.#entry === undefined || this.#given?.has(error) === true) return error;
    return isSaid(error) || isUnshown(error) ? error : failedWithin(this.#call, this.#entry, error);
  }
}

/** In the relay's own words, as a refusal is. What has the wrong shape is a failure like any other. */
function isSaid(error: unknown): boolean {
  return TroupeError.is(error) && error.group === "relay" && error.code !== "bad_answer";
}
