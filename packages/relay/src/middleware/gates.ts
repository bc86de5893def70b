/**
 * Gates: registrations that decide whether another one runs this time.
 *
 * A gate is asked in the turn in which the other is due, also for events, so that it answers at once: a promise is a
 * failure. A failing gate is as if it weren't there. While one is asked, what it does itself meets no gates.
 */

import type { RelayEnv } from "../env.ts";
import { relayErrors } from "../errors.ts";
import { errorWithoutSecrets } from "../redaction/error-without-secrets.ts";
import { askAtOnce } from "./invoke.ts";
import type { MiddlewareKind } from "./kinds.ts";
import type { Entry } from "./level.ts";

type Gate = Entry<"conditional_middleware_guardrail">;

/** The gates of one relay. */
export class Gates {
  readonly #log: RelayEnv["log"];
  readonly #told = new WeakSet<Gate>();
  #asking = false;

  constructor(log: RelayEnv["log"]) {
    this.#log = log;
  }

  /** Those of `entries` that no gate leaves out. */
  passed<K extends MiddlewareKind>(
    gates: readonly Gate[],
    kind: K,
    entries: readonly Entry<K>[],
  ): readonly Entry<K>[] {
    if (this.#asking || entries.length === 0) return entries;
    const asked = gates.filter(({ about }) => about?.kinds.includes(kind) === true);
    if (asked.length === 0) return entries;
    return entries.filter(({ name }) =>
      asked.every((gate) => gate.about?.name !== name || this.#lets(gate, { kind, name })),
    );
  }

  #lets(gate: Gate, registration: { readonly kind: string; readonly name: string }): boolean {
    this.#asking = true;
    try {
      const verdict: unknown = askAtOnce(gate, registration);
      if (verdict === null || verdict === undefined) return true;
      if (typeof verdict === "string") return false;
      throw relayErrors.badAnswer(`The gate "${gate.name}"`, "null or a reason, at once");
    } catch (error) {
      const first = !this.#told.has(gate);
      this.#told.add(gate);
      if (first)
        this.#log.warn(`The gate "${gate.name}" failed; more of it isn't logged`, {
          error: errorWithoutSecrets(error),
        });
      return true;
    } finally {
      this.#asking = false;
    }
  }
}
