/**
 * One writer: the generations that commit for an actor never go back, over all lives of the server; and a generation is
 * one activation's.
 */
import type { FileObserver } from "../disk/file.ts";
import type { SimTarget } from "../disk/target.ts";
import type { World } from "../world/world.ts";

/** Watches who commits. */
export class Writers implements FileObserver {
  readonly #world: World;
  readonly #newest = new Map<string, { readonly generation: number; readonly life: SimTarget }>();

  constructor(world: World) {
    this.#world = world;
  }

  commits(target: SimTarget): void {
    if (target.kind !== "rows") return;
    const { actor, generation } = target;
    const newest = this.#newest.get(actor.id);
    if (newest !== undefined && generation < newest.generation) {
      this.#world.fail(
        "one writer",
        `generation ${generation} of actor ${actor.id} commits after ${newest.generation}`,
      );
    }
    if (newest !== undefined && generation === newest.generation && target !== newest.life) {
      this.#world.fail(
        "one writer",
        `two activations of actor ${actor.id} commit as generation ${generation}`,
      );
    }
    this.#newest.set(actor.id, { generation, life: target });
  }
}
