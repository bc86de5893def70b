/**
 * Spares: containers that were started before anybody asked, so that a sandbox begins with one that is there.
 *
 * There is one for each set of mounts that somebody keeps warm; who takes it has the next one started. It runs nothing but its
 * supervisor, and ends with whoever keeps it. One that couldn't be started, or was ended meanwhile, is nobody's loss: who asks
 * gets a new one, and hears what is wrong with it.
 */
import { sandboxErrors } from "../../errors.ts";
import type { Mount } from "../mounts.ts";
import type { Container } from "./container.ts";

interface Kept {
  keepers: number;
  spare: Container | undefined;
}

/** Containers that are ahead of their sandboxes. */
export class Spares {
  readonly #start: (mounts: readonly Mount[]) => Container;
  readonly #kept = new Map<string, Kept>();

  /** `start`: throws `sandbox.*` where none can be started. */
  constructor(start: (mounts: readonly Mount[]) => Container) {
    this.#start = start;
  }

  /** Has one ready, until what it returns is called; that settles when it is gone. */
  keep(mounts: readonly Mount[]): () => Promise<void> {
    const key = JSON.stringify(mounts);
    const kept = this.#kept.get(key) ?? { keepers: 0, spare: undefined };
    this.#kept.set(key, kept);
    kept.keepers += 1;
    if (kept.spare === undefined) this.#renew(kept, mounts);
    return async () => {
      kept.keepers -= 1;
      if (kept.keepers > 0) return;
      this.#kept.delete(key);
      await kept.spare?.stop(sandboxErrors.closed());
    };
  }

  /** The caller's from now on; it may still be starting. */
  take(mounts: readonly Mount[]): Container {
    const kept = this.#kept.get(JSON.stringify(mounts));
    const spare = kept?.spare;
    if (kept !== undefined) this.#renew(kept, mounts);
    return spare === undefined || spare.lost ? this.#start(mounts) : spare;
  }

  #renew(kept: Kept, mounts: readonly Mount[]): void {
    kept.spare = undefined;
    try {
      kept.spare = this.#start(mounts);
    } catch {
      // Whoever boots is told.
    }
  }
}
