/**
 * GiveBack: how the end of an activation reaches the directory.
 *
 * An actor that sleeps is released. One that is gone is removed: its destruction is stored, or its creation came to
 * nothing. The removal is a write of its own, and the disk may refuse it after it took the one that says the actor is
 * gone. What is left then is what a crash would have left: for whoever asks there is no such actor, but its rows and its
 * alarm are there, and nobody need ever ask. So it is tried again from here, after a wait that doubles:
 *
 *   refused ──wait──▶ looked for as by any caller, who finds that it is gone and removes it ──▶ forgotten
 *      ▲                  │ refused again
 *      └──────────────────┘
 *
 * Only a crash, or a stop of the host, leaves one behind; its alarm or whoever asks for it removes it then.
 */
import { type Env, type TimerHandle, TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { ActorRecord, Directory, Generation } from "../ports/directory.ts";
import type { ActorInstance } from "../ports/instance.ts";
import type { ActorStorage, StoreNeeds } from "../ports/storage.ts";
import { claimCutOff } from "./cut-off.ts";

const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 300_000;

/** What it is made of. */
export interface GiveBackParts {
  readonly env: Pick<Env, "timers" | "log">;
  readonly directory: Directory;
  readonly storage: ActorStorage;
  /** Asks for an actor as any caller does. Settles when it is gone; rejects when it couldn't be removed. */
  readonly lookFor: (actorId: string) => Promise<void>;
  /** A removal won't be tried again, and the actor may have an alarm: whoever rings it finds it. */
  readonly leave: (actorId: string) => void;
}

/** What an activation that didn't start leaves: the actor as it was, one that never lived, or one that no longer does. */
export type NotStarted = "asleep" | "unmade" | "gone";

/** Gives actors back to the directory of a host. */
export class GiveBack {
  readonly #parts: GiveBackParts;
  /** Gone, and not removed yet. */
  readonly #refused = new Set<string>();
  #waitMs = RETRY_MS;
  #timer: TimerHandle | undefined;
  #trying = false;
  #closed = false;

  constructor(parts: GiveBackParts) {
    this.#parts = parts;
  }

  /** An activation has stopped. Never rejects. */
  async stopped(instance: ActorInstance, needs: StoreNeeds | undefined): Promise<void> {
    const { directory, env } = this.#parts;
    const { record, generation, doomed } = instance;
    try {
      if (!(await isDurable(instance))) await this.#clear(record, needs);
      else if (doomed) await directory.destroy(record.id, generation);
      else await directory.release(record.id, generation);
    } catch (cause) {
      if (isNotFound(cause)) return;
      env.log.error("giving an actor back failed", { actorId: record.id, doomed, cause });
      if (doomed) this.#tryAgain(record.id);
    }
  }

  /** Its gate broke, before or behind the batch that ends its creation, or begins its destruction: the rows know. */
  async #clear(record: ActorRecord, needs: StoreNeeds | undefined): Promise<void> {
    const generation = await claimCutOff({ ...this.#parts, needs }, record);
    if (generation !== undefined) await this.notStarted(record, generation, "unmade");
  }

  /** An activation didn't come to be: why, its caller is told. */
  async notStarted({ id }: ActorRecord, generation: Generation, left: NotStarted): Promise<void> {
    const { directory, env } = this.#parts;
    if (left === "asleep") return await directory.release(id, generation);
    try {
      await directory.destroy(id, generation);
      this.#refused.delete(id);
    } catch (cause) {
      this.#tryAgain(id);
      // Its address is still taken: that is what somebody who wants a new actor there has to know.
      if (left === "gone") throw cause;
      env.log.error("giving an actor back failed", { actorId: id, cause });
    }
  }

  /**
   * What a crash left of a sleeping actor doesn't stand in the way of a new one at its address. Rejects when its removal
   * was refused.
   */
  async makeRoom(record: ActorRecord, needs: StoreNeeds | undefined): Promise<void> {
    // One that can't be read, or that somebody starts meanwhile, is there: the creation is told so.
    const generation = await claimCutOff({ ...this.#parts, needs }, record).catch(() => undefined);
    if (generation !== undefined) await this.notStarted(record, generation, "gone");
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== undefined) this.#parts.env.timers.clear(this.#timer);
  }

  #tryAgain(actorId: string): void {
    if (this.#refused.size < limits.removalsHeld) this.#refused.add(actorId);
    else if (!this.#refused.has(actorId)) this.#parts.leave(actorId);
    this.#arm();
  }

  #arm(): void {
    if (this.#closed || this.#trying || this.#timer !== undefined || this.#refused.size === 0) return;
    const look = (): void => {
      this.#timer = undefined;
      void this.#look();
    };
    this.#timer = this.#parts.env.timers.set(look, this.#waitMs, { background: true });
  }

  /** One after the other: a disk that refuses one is likely to refuse them all. */
  async #look(): Promise<void> {
    this.#trying = true;
    for (const actorId of [...this.#refused]) {
      if (this.#closed) return;
      await this.#remove(actorId);
    }
    this.#trying = false;
    this.#waitMs = this.#refused.size === 0 ? RETRY_MS : Math.min(2 * this.#waitMs, LONGEST_RETRY_MS);
    this.#arm();
  }

  async #remove(actorId: string): Promise<void> {
    try {
      await this.#parts.lookFor(actorId);
      this.#refused.delete(actorId);
    } catch (cause) {
      this.#parts.env.log.warn("an actor that is gone could not be removed; it is tried again", {
        actorId,
        cause,
      });
    }
  }
}

/** True when all that the instance wrote is stored: an end for good that isn't never was. */
async function isDurable(instance: ActorInstance): Promise<boolean> {
  try {
    await instance.settled();
    return true;
  } catch {
    return false;
  }
}

/** True of the error that says that there is no such actor. */
export function isNotFound(cause: unknown): boolean {
  return TroupeError.is(cause) && cause.group === "actor" && cause.code === "not_found";
}
