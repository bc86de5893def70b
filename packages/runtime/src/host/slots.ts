import { assert } from "@troupe/base";
import type { ActorRecord } from "../ports/directory.ts";
import type { Slot } from "./slot.ts";
import { seenBy, type Target } from "./target.ts";

/** The slots of a host, by the actor's id and by the path that it is asked for by. */
export class Slots {
  readonly #byId = new Map<string, Slot>();
  readonly #byPath = new Map<string, Slot>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): Slot | undefined {
    return this.#byId.get(id);
  }

  /** The slot of a wanted actor, which has a path. Throws `actor.not_found` for one of another namespace. */
  find(target: Target, path: string): Slot | undefined {
    if (target.kind !== "id") return this.#byPath.get(path);
    const slot = this.#byId.get(target.id);
    if (slot !== undefined && target.namespace !== undefined) seenBy(target, slot.record);
    return slot;
  }

  /** The slot of an actor that starts. */
  of({ id }: ActorRecord): Slot {
    const slot = this.#byId.get(id);
    assert(slot !== undefined, "an actor that starts has a slot");
    return slot;
  }

  add(slot: Slot): void {
    this.#byId.set(slot.record.id, slot);
    this.#byPath.set(slot.path, slot);
  }

  forget(slot: Slot): void {
    assert(this.#byId.get(slot.record.id) === slot, "a slot is forgotten once");
    this.#byId.delete(slot.record.id);
    this.#byPath.delete(slot.path);
  }

  [Symbol.iterator](): IterableIterator<Slot> {
    return this.#byId.values();
  }
}
