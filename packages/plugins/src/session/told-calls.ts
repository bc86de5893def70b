/** The scopes that one instance's calls were told, by the numbers of the calls that have no answer. */
import { limits } from "@troupe/protocol";
import type { Told, ToldScopes } from "./told-scopes.ts";

/** Those of one instance. */
export class ToldCalls {
  readonly #instance: number;
  readonly #scopes: ToldScopes;
  readonly #calls = new Map<number, Told>();

  constructor(instance: number, scopes: ToldScopes) {
    this.#instance = instance;
    this.#scopes = scopes;
  }

  /** Code that never answers isn't waited for: of too many calls the first counts as over. `scope` is empty for none. */
  began(call: number, scope: string, instances: number): void {
    if (scope === "") return;
    this.#calls.set(call, this.#scopes.told(scope, this.#instance, instances));
    if (this.#calls.size <= limits.pluginInstanceToldCalls) return;
    const [first] = this.#calls.keys();
    if (first !== undefined) this.over(first);
  }

  /** It has its answer. A call that was told none, or has been over before, is no error. */
  over(call: number): void {
    const told = this.#calls.get(call);
    if (told === undefined) return;
    this.#calls.delete(call);
    this.#scopes.over(told);
  }

  /** The instance is gone. */
  end(): void {
    for (const told of this.#calls.values()) this.#scopes.over(told);
    this.#calls.clear();
  }
}
