/** OwnDirectory: the directory of actors' own files, and its counterpart in memory. */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Env } from "@troupe/base";
import { DataFile } from "../data-file.ts";
import type { DataHealth } from "../data-health.ts";
import { syncDirectory } from "../files.ts";
import { HelpedFile } from "../sql-process/helped-file.ts";
import type { ActorFile } from "./actor-file.ts";
import { PARTS } from "./own-database-file.ts";
import { OwnFile, type OwnPlace } from "./own-file.ts";
import type { StatementWatch } from "./statement-watch.ts";

/** Where actors' own files are. */
export interface OwnDisk {
  /** A file that is closed is still there; in memory it is all there is, and stays open. */
  readonly keepsClosedFiles: boolean;
  /** An actor's file, which isn't opened yet. `statementMs`: its code isn't trusted. */
  file(actorId: string, statementMs: number | undefined): ActorFile;
  /** Nothing of the actor's stays. Its file is closed. */
  remove(actorId: string): void;
}

/** What files are made of. */
export interface OwnDiskOptions {
  readonly env: Pick<Env, "afterTurn" | "clock" | "timers" | "log">;
  readonly health: Pick<DataHealth, "found">;
  readonly watch: StatementWatch;
  /** Puts an actor's alarm into the index; settles when it is durable. */
  readonly setAlarm: (actorId: string, at: number | null) => Promise<void>;
  readonly onFatal: (cause: unknown) => void;
}

const FILE = /^([0-9a-f]{32})\.db(-wal)?$/;

/** The files of one data directory. */
export class OwnDirectory implements OwnDisk {
  readonly keepsClosedFiles = true;
  readonly #options: OwnDiskOptions;
  readonly #place: OwnPlace;

  constructor(place: OwnPlace, options: OwnDiskOptions) {
    this.#options = options;
    this.#place = place;
  }

  file(actorId: string, statementMs: number | undefined): ActorFile {
    if (statementMs === undefined) return this.#ownFile(actorId);
    const { env, health, setAlarm } = this.#options;
    const { helpers, spares, durability } = this.#place;
    const path = this.#path(actorId);
    return new HelpedFile({
      env,
      helpers,
      spares,
      durability,
      path,
      exists: () => existsSync(path),
      health,
      statementMs,
      setAlarm: (at) => setAlarm(actorId, at),
    });
  }

  remove(actorId: string): void {
    const path = this.#path(actorId);
    for (const part of PARTS) rmSync(path + part, { force: true });
  }

  /**
   * After a crash: every file with a log is opened, which makes it durable, and its alarm put into the index. A file of
   * nobody (its actor's row was lost in a power cut, or its end was cut off) is deleted.
   */
  async recover(exists: (actorId: string) => boolean): Promise<void> {
    const { directory } = this.#place;
    const { env, setAlarm } = this.#options;
    for (const name of readdirSync(directory)) {
      const [, actorId, log] = FILE.exec(name) ?? [];
      if (actorId === undefined || log === undefined) continue;
      try {
        if (!exists(actorId)) {
          this.remove(actorId);
          continue;
        }
        const file = this.#ownFile(actorId);
        await setAlarm(actorId, file.connection().alarm());
        await file.close();
      } catch (error) {
        env.log.error("an actor's file is damaged; its actor can't be called", { actorId, error });
      }
    }
    syncDirectory(directory);
  }

  #ownFile(actorId: string): OwnFile {
    return ownFile({ actorId, path: this.#path(actorId), place: this.#place }, this.#options);
  }

  #path(actorId: string): string {
    return join(this.#place.directory, `${actorId}.db`);
  }
}

/** Databases in memory: there is no other process that could have them. */
export class OwnMemory implements OwnDisk {
  readonly keepsClosedFiles = false;
  readonly #options: OwnDiskOptions;

  constructor(options: OwnDiskOptions) {
    this.#options = options;
  }

  file(actorId: string): ActorFile {
    return ownFile({ actorId, path: actorId, place: "memory" }, this.#options);
  }

  remove(): void {}
}

function ownFile(
  of: { readonly actorId: string; readonly path: string; readonly place: OwnPlace | "memory" },
  { health, setAlarm, ...options }: OwnDiskOptions,
): OwnFile {
  return new OwnFile({
    ...options,
    place: of.place,
    file: new DataFile(of.path, health),
    setAlarm: (at) => setAlarm(of.actorId, at),
  });
}
