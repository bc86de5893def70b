/** How much a scope's work minds waiting, as a program says it. */
import { relayErrors } from "../errors.ts";
import type { Scope } from "../scope/scope.ts";

/** By scope; gone with it. */
export class LatencySensitivities {
  readonly #set = new WeakMap<Scope, number>();

  /** For `scope` and what is below it. Throws `relay.option_invalid`. */
  set(scope: Scope, value: number): void {
    if (!Number.isFinite(value) || value < 0)
      throw relayErrors.optionInvalid("latency sensitivity", "0 or more");
    this.#set.set(scope, value);
  }

  /** The nearest that was set; undefined when none was. */
  of(scope: Scope): number | undefined {
    for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
      const value = this.#set.get(at);
      if (value !== undefined) return value;
    }
    return undefined;
  }
}
