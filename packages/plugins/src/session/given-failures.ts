/**
 * GivenFailures: what failed in the rest of the calls that a plugin's middleware goes around, as the plugin was told of it. A plugin that
 * has no answer for such a failure gives it on, as a copy that went through its process: the host takes that for the failure itself, which
 * isn't the plugin's.
 */
import { limits } from "@troupe/protocol";
import type { CarriedError } from "@troupe/protocol/actor/v1";

/** What was thrown may be nothing at all. */
interface Given {
  readonly error: unknown;
  readonly message: string;
}

/** Those of one session, at the host's end. */
export class GivenFailures {
  readonly #given = new Map<number, Given[]>();

  /** Call `invoke` is told of `error` as `carried`. Of more than may wait at once the last are remembered. */
  add(invoke: number, error: unknown, { message }: CarriedError): void {
    const all = this.#given.get(invoke) ?? [];
    all.push({ error, message });
    if (all.length > limits.pluginNexts) all.shift();
    this.#given.set(invoke, all);
  }

  /** The one that `carried` is a copy of. The words alone are looked at: languages have errors of their own. */
  of(invoke: number, { message }: CarriedError): Given | undefined {
    return this.#given.get(invoke)?.find((one) => one.message === message);
  }

  has(invoke: number, error: unknown): boolean {
    return this.#given.get(invoke)?.some((one) => one.error === error) === true;
  }

  /** The call is over. */
  end(invoke: number): void {
    this.#given.delete(invoke);
  }

  /** The session is over. */
  clear(): void {
    this.#given.clear();
  }
}
