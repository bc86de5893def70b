/**
 * SimFile: the simulated disk as the production committer sees it, with everything that a real one does to a program:
 * slow syncs, a full disk, a sync that fails, and a process that dies before or after each step.
 */

import { storageErrors } from "../../packages/runtime/src/errors.ts";
import { DESTROYED_ROW } from "../../packages/runtime/src/ports/storage.ts";
import type { CommitFile, Write } from "../../packages/runtime/src/storage/commit-file.ts";
import type { SimProcess } from "../world/process.ts";
import type { Random } from "../world/random.ts";
import { SHARD, type SimDisk } from "./disk.ts";
import type { Change } from "./image.ts";
import { simulateSync } from "./sync.ts";
import type { SimTarget } from "./target.ts";

/** What a file does on purpose wrong, for canaries. */
export interface FileFlaws {
  /** Says that a sync is done when it has only begun. */
  readonly earlySync?: boolean;
  /** Forgets alarms. */
  readonly losesAlarms?: boolean;
}

/** What else a file tells of. */
export interface FileObserver {
  /** A batch of an activation is about to be stored. */
  commits(target: SimTarget): void;
}

/** One process's handle of the disk. */
export class SimFile implements CommitFile<SimTarget> {
  readonly #process: SimProcess;
  readonly #disk: SimDisk;
  readonly #random: Random;
  readonly #flaws: FileFlaws;
  readonly #observer: FileObserver;
  /** A full disk shows in writes of this target, twice: in its group and alone. */
  #cursed: { readonly target: SimTarget; writes: number } | undefined;

  constructor(process: SimProcess, disk: SimDisk, flaws: FileFlaws, observer: FileObserver) {
    this.#process = process;
    this.#disk = disk;
    this.#random = process.random.fork();
    this.#flaws = flaws;
    this.#observer = observer;
  }

  write(writes: readonly Write<SimTarget>[]): void {
    const { world } = this.#process;
    if (!this.#process.alive) throw storageErrors.closed();
    this.#failWhenFull(writes);
    world.faults.visit("before a write");
    if (!this.#process.alive) throw storageErrors.closed();
    const changes: Change[] = [];
    for (const write of writes) this.#add(write, changes);
    if (new Set(writes.map(({ target }) => target.actor.id)).size > 1) {
      world.counters.add("a group of several actors");
    }
    world.trace.say(this.#process.name, "writes changes:", changes.length);
    this.#disk.write(changes);
    world.faults.visit("between write and sync");
  }

  sync(done: (error?: unknown) => void): void {
    const early = this.#flaws.earlySync === true;
    simulateSync(
      { process: this.#process, disk: this.#disk, random: this.#random, file: SHARD, early },
      done,
    );
  }

  /** The disk is full for one of the writers, or for a lone one. */
  #failWhenFull(writes: readonly Write<SimTarget>[]): void {
    const { world } = this.#process;
    // Ends are rare, and each has two writes that may fail: they are where a full disk strikes most.
    const rate = world.options.failWrite * (writes.some(endsAnActor) ? 5 : 1);
    if (this.#cursed === undefined && world.faults.strikes(rate)) {
      const { target } = this.#random.pick(writes);
      world.counters.add(writes.length > 1 ? "ENOSPC for one of a group" : "ENOSPC for a lone batch");
      this.#cursed = { target, writes: writes.length > 1 ? 2 : 1 };
    }
    const cursed = this.#cursed;
    if (cursed === undefined || !writes.some(({ target }) => target === cursed.target)) return;
    cursed.writes -= 1;
    if (cursed.writes === 0) this.#cursed = undefined;
    const [only] = writes;
    if (writes.length === 1 && only?.target.kind === "create") only.target.actor.failed = true;
    world.trace.say(this.#process.name, "a write fails: the disk is full");
    throw new Error("ENOSPC: no space left on device, write");
  }

  #add({ target, batch }: Write<SimTarget>, changes: Change[]): void {
    const { id } = target.actor;
    switch (target.kind) {
      case "create":
        changes.push({ kind: "create", record: target.record });
        return;
      case "destroy":
        changes.push({ kind: "destroy", id });
        return;
      case "rows":
        if (target.actor.failed) {
          throw storageErrors.commitFailed("no", new Error("its actor could not be created"));
        }
        this.#observer.commits(target);
        for (const { key, value } of batch.rows) changes.push({ kind: "row", id, key, value });
        if (batch.alarm !== undefined && this.#flaws.losesAlarms !== true) {
          changes.push({ kind: "alarm", id, at: batch.alarm });
        }
    }
  }
}

/** The write says that an actor is gone, or removes it. */
function endsAnActor({ target, batch }: Write<SimTarget>): boolean {
  return target.kind === "destroy" || batch.rows.some(({ key }) => key === DESTROYED_ROW);
}
