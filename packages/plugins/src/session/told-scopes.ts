/**
 * The scopes of the host's relay that one session's plugin may name: those that it was told, and those that it made.
 *
 * A scope is known by its propagation value as the host writes it. One that is open is known as long as it is. One that has ended is
 * still known for a while, for work that goes on behind an answer: two generations of them, the older of which is forgotten when the
 * younger is full. So what is held is bounded, and nothing is looked for.
 *
 * Whose it is: that of the instance whose call was told it, or everybody's, where the plugin as a whole was told it or made it.
 */
import { limits } from "@troupe/protocol";
import { propagationContextFromJson, propagationContextToJson } from "@troupe/relay";

/** The plugin as a whole. Instances are numbered from 1. */
export const EVERYBODY = 0;

interface Open {
  /** How often it was told, less how often that was over. */
  times: number;
  whose: number;
}

/** Those of one session. */
export class ToldScopes {
  readonly #open = new Map<string, Open>();
  /** Whose they were. */
  #ended = new Map<string, number>();
  #endedBefore = new Map<string, number>();

  /** `scope` is a propagation value, or empty for none. */
  told(scope: string, whose: number): void {
    if (scope === "") return;
    const open = this.#open.get(scope);
    if (open === undefined) {
      this.#open.set(scope, { times: 1, whose });
      return;
    }
    open.times += 1;
    if (open.whose !== whose) open.whose = EVERYBODY;
  }

  /** What it was told for is over. `instances`: how many run, of which each has its share of what is still known. */
  over(scope: string, instances = 1): void {
    const open = this.#open.get(scope);
    if (open === undefined) return;
    open.times -= 1;
    if (open.times > 0) return;
    this.#open.delete(scope);
    this.#ended.set(scope, open.whose);
    const share = limits.pluginInstanceEndedScopes * instances;
    if (this.#ended.size < share && this.#ended.size < limits.pluginEndedScopes) return;
    this.#endedBefore = this.#ended;
    this.#ended = new Map();
  }

  /** Whether it may be named by that instance, or, by default, by any. Throws `relay.propagation_malformed`. */
  isKnown(scope: string, by: number = EVERYBODY): boolean {
    const whose = this.#whose(scope) ?? this.#whose(asWritten(scope));
    return whose !== undefined && (by === EVERYBODY || whose === EVERYBODY || whose === by);
  }

  #whose(scope: string): number | undefined {
    return this.#open.get(scope)?.whose ?? this.#ended.get(scope) ?? this.#endedBefore.get(scope);
  }
}

/** Whoever names it may have spelled it anew. */
function asWritten(scope: string): string {
  return propagationContextToJson(propagationContextFromJson(scope));
}
