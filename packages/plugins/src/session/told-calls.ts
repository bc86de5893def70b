/** The scopes that one instance's calls were told, by the numbers of the calls that have no answer. */
import { limits } from "@troupe/protocol";
import type { ToldScopes } from "./told-scopes.ts";

/** Those of one instance. */
export class ToldCalls {
  readonly #instance: number;
  readonly #scopes: ToldScopes;
  #calls: Map<number, string> | undefined;

  constructor(instance: number, scopes: ToldScopes) {
    this.#instance = instance;
    this.#scopes = scopes;
  }

  /** Code that never answers isn't waited for: of too many calls the first counts as over. `scope` is empty for none. */
  began(call: number, scope: string, instances: number): void {
    if (scope === "") return;
    this.#calls ??= new Map();
    this.#calls.set(call, scope);
    this.#scopes.told(scope, this.#instance);
    if (this.#calls.size <= limits.pluginInstanceToldCalls) return;
    const [first] = this.#calls.keys();
    if (first !== undefined) this.over(first, instances);
  }

  /** It has its answer. A call that was told none, or has been over before, is no error. */
  over(call: number, instances: number): void {
    const scope = this.#calls?.get(call);
    if (scope === undefined) return;
    this.#calls?.delete(call);
    this.#scopes.over(scope, instances);
  }

  /** The instance is gone. */
  end(instances: number): void {
    for (const call of [...(this.#calls?.keys() ?? [])]) this.over(call, instances);
  }
}
