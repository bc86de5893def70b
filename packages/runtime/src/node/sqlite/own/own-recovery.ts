/**
 * OwnRecovery: what a start looks at in the directory of actors' own files, before anybody is served.
 *
 * A process that was killed left a log beside each file that was open. What is in it is made durable when its actor wakes
 * and the file is opened. Until then only the alarm counts: the file's is the truth, and the index that wakes actors may
 * be behind it. So a start reads one value of each such file, changes nothing of it, and puts into the index, in one round,
 * what differs.
 *
 *   a log of nobody (the actor's row was lost in a power cut, or its end was cut off)    its file is deleted
 *   a spare of nobody                                                                     is deleted
 *   a spare beside a file                    the creation is looked at: one that has ended needs no spare any more
 *   no file at all, where rows name some     the directory isn't there: a volume that wasn't mounted, half a restore
 *
 * What belongs to actors of a shard that can't be read is left alone.
 */
import { readdirSync } from "node:fs";
import type { Env } from "@troupe/base";
import { storageErrors } from "../../../errors.ts";
import type { FileHealth } from "../data-file.ts";
import { syncDirectory } from "../files.ts";
import { mintId, type Shards } from "../shards.ts";
import { spareDigits } from "./spare-files.ts";

/** What a start does with the files. */
export interface RecoveredFiles {
  /** Where an actor's file is. */
  path(actorId: string): string;
  /** The alarm in a file that wasn't closed. Throws `storage.*`. */
  alarm(actorId: string): number | null;
  /** There may be a file beside the spare: when its actor's creation has ended, the spare goes. */
  settle(actorId: string): Promise<void>;
  remove(actorId: string): void;
  removeSpare(digits: string): void;
}

/** What it is made of. */
export interface OwnRecoveryParts {
  readonly env: Pick<Env, "afterTurn" | "clock" | "log">;
  readonly directory: string;
  readonly shards: Shards;
  readonly health: FileHealth;
  readonly files: RecoveredFiles;
  /** Puts an actor's alarm into the index; settles when it is durable. */
  readonly setAlarm: (actorId: string, at: number | null) => Promise<void>;
}

const FILE = /^([0-9a-f]{32})\.db(-wal)?$/;
/** How often a long look says how far it is. */
const PROGRESS_MS = 5_000;
/** Files of a shard that are looked for where none is there: that some are back is no proof that all are. */
const LOOKED_FOR = 100;
/** Files that are looked at in one turn. */
const AT_ONCE = 64;

/** One start's look at the directory. */
export class OwnRecovery {
  readonly #parts: OwnRecoveryParts;
  readonly #alarms: Promise<void>[] = [];

  constructor(parts: OwnRecoveryParts) {
    this.#parts = parts;
  }

  /** Rejects when the directory can't be read, or the index can't be written. */
  async run(): Promise<void> {
    const { directory } = this.#parts;
    const names = readdirSync(directory);
    const files = names.map((name) => FILE.exec(name)).filter((found) => found !== null);
    if (files.length === 0) this.#lookForRows();
    for (const name of names) {
      const digits = spareDigits(name);
      if (digits !== undefined) await this.#spare(digits);
    }
    await this.#logs(files.filter(([, , log]) => log !== undefined).map(([, actorId]) => String(actorId)));
    syncDirectory(directory);
  }

  /** No file is there: is that so? */
  #lookForRows(): void {
    const { directory, shards, health, files } = this.#parts;
    const error = storageErrors.corrupt(directory, "the files of actors with a database are missing");
    for (const [, shard] of shards.usable())
      for (const id of shard.reader.ownFiles(LOOKED_FOR)) health.missing(files.path(id), error);
  }

  async #spare(digits: string): Promise<void> {
    const { shards, files, env } = this.#parts;
    const ids = Array.from({ length: shards.count }, (_, place) => mintId(place, digits));
    const owners = ids.filter((id) => this.#owner(id) !== "nobody");
    if (owners.length === 0) return files.removeSpare(digits);
    for (const id of owners.filter((owner) => this.#owner(owner) !== "unknown")) {
      await files.settle(id).catch((error: unknown) => {
        env.log.error("an actor's file can't be opened", { actorId: id, error });
      });
    }
  }

  async #logs(actorIds: readonly string[]): Promise<void> {
    const { afterTurn, clock, log } = this.#parts.env;
    let said = clock.monotonic();
    for (const [index, actorId] of actorIds.entries()) {
      this.#log(actorId);
      if (index % AT_ONCE !== AT_ONCE - 1) continue;
      await new Promise<void>((resolve) => afterTurn(resolve));
      if (clock.monotonic() - said < PROGRESS_MS) continue;
      said = clock.monotonic();
      log.info("looking into files that a process before this one didn't close", {
        done: index + 1,
        of: actorIds.length,
      });
    }
    await Promise.all(this.#alarms);
  }

  #log(actorId: string): void {
    const { files, env, setAlarm } = this.#parts;
    const owner = this.#owner(actorId);
    if (owner === "unknown") return;
    try {
      if (owner === "nobody") return files.remove(actorId);
      const alarm = files.alarm(actorId);
      if (alarm !== owner.alarm) this.#alarms.push(setAlarm(actorId, alarm));
    } catch (error) {
      env.log.error("an actor's file is damaged; its actor can't be called", { actorId, error });
    }
  }

  /** What the index knows. A shard that can't be read knows of nobody, and nobody is nobody's. */
  #owner(actorId: string): { readonly alarm: number | null } | "nobody" | "unknown" {
    const { shards } = this.#parts;
    try {
      const alarm = shards.ofId(actorId)?.reader.alarmOf(actorId);
      return alarm === undefined ? "nobody" : { alarm };
    } catch {
      return "unknown";
    }
  }
}
