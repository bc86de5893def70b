import { assert } from "@troupe/base";
import type { ActorRecord } from "../ports/directory.ts";
import type { ActorInstance } from "../ports/instance.ts";
import type { IdleLane, IdleNode } from "./idle-queue.ts";

/** The place of an actor that is awake, waking or stopping. */
export class Slot implements IdleNode {
  readonly record: ActorRecord;
  readonly path: string;
  state:
    | { readonly tag: "loading"; readonly ready: Promise<ActorInstance> }
    | { readonly tag: "awake"; readonly instance: ActorInstance }
    | { readonly tag: "stopping"; readonly done: Promise<void> };
  idleLane: IdleLane | undefined = undefined;
  idleSince = 0;
  idlePrevious: IdleNode | undefined = undefined;
  idleNext: IdleNode | undefined = undefined;
  /** Said to be idle before it was awake: its sleep time-out. */
  restMs: number | undefined = undefined;

  readonly hasDatabase: boolean;

  constructor(record: ActorRecord, path: string, state: Slot["state"], hasDatabase = false) {
    this.record = record;
    this.hasDatabase = hasDatabase;
    this.path = path;
    this.state = state;
  }
}

/** What stands in the idle queue is a slot. */
export function asSlot(node: IdleNode): Slot {
  assert(node instanceof Slot, "only slots stand in the idle queue");
  return node;
}
