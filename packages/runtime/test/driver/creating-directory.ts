/** A `MemoryDirectory` whose creations become durable when the test says so, and whose removals fail when it says so. */

import { storageErrors } from "../../src/errors.ts";
import type { ActorAddress, Created, Found, Generation } from "../../src/ports/directory.ts";
import { MemoryDirectory } from "../../src/ports/memory/directory.ts";

export class CreatingDirectory extends MemoryDirectory {
  /** When the next creations are durable; at once while it is absent. */
  durable: Promise<void> | undefined;
  /** So many removals are refused by the disk. */
  refusedRemovals = 0;

  override async create(address: ActorAddress): Promise<Created> {
    return this.#held(await super.create(address));
  }

  override async getOrCreate(address: ActorAddress): Promise<Found | Created> {
    const located = await super.getOrCreate(address);
    return located.isNew ? this.#held(located) : located;
  }

  override async destroy(id: string, generation: Generation): Promise<void> {
    if (this.refusedRemovals === 0) return await super.destroy(id, generation);
    this.refusedRemovals -= 1;
    await super.release(id, generation);
    throw storageErrors.commitFailed("no", new Error("disk full"));
  }

  #held(created: Created): Created {
    return this.durable === undefined ? created : { ...created, durable: this.durable };
  }
}
