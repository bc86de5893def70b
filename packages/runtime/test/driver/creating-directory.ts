/** A `MemoryDirectory` whose creations become durable when the test says so. */

import type { ActorAddress, Created, Found } from "../../src/ports/directory.ts";
import { MemoryDirectory } from "../../src/ports/memory/directory.ts";

export class CreatingDirectory extends MemoryDirectory {
  /** When the next creations are durable; at once while it is absent. */
  durable: Promise<void> | undefined;

  override async create(address: ActorAddress): Promise<Created> {
    return this.#held(await super.create(address));
  }

  override async getOrCreate(address: ActorAddress): Promise<Found | Created> {
    const located = await super.getOrCreate(address);
    return located.isNew ? this.#held(located) : located;
  }

  #held(created: Created): Created {
    return this.durable === undefined ? created : { ...created, durable: this.durable };
  }
}
