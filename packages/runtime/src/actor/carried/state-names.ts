import type { RowChange } from "../../ports/storage.ts";
import { STATE_PREFIX } from "../local/state-tree.ts";
import { checkPropertyCount } from "../state-size.ts";

/** The top-level properties that a carried actor's state has: only so many may be. */
export class StateNames {
  readonly #keys = new Set<string>();

  constructor(rows: readonly { readonly key: string }[]) {
    for (const { key } of rows) if (key.startsWith(STATE_PREFIX)) this.#keys.add(key);
  }

  /** Takes over what one Write changes. Throws `state.too_many_properties`: then the activation can't go on. */
  change(changes: readonly RowChange[]): void {
    for (const { key, value } of changes) {
      if (!key.startsWith(STATE_PREFIX)) continue;
      if (value === null) this.#keys.delete(key);
      else this.#keys.add(key);
    }
    checkPropertyCount(this.#keys.size);
  }
}
