/** A `MemoryDirectory` whose creations become durable when the test says so. */

import type { ActorAddress, Created } from "../../src/ports/directory.ts";
import { MemoryDirectory } from "../../src/ports/memory/directory.ts";

export class CreatingDirectory extends MemoryDirectory {
  /** When the next creations are durable; at once while it is absent. */
  durable: Promise<void> | undefined;

  override async create(address: ActorAddress): Promise<Created> {
    const created = await super.create(address);
    return this.durable === undefined ? created : { ...created, durable: this.durable };
  }
}
