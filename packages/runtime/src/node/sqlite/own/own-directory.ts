/** OwnDirectory: the directory of actors' own files, and its counterpart in memory. */
import { rmSync } from "node:fs";
import type { Env } from "@troupe/base";
import { CREATED_ROW } from "../../../ports/storage.ts";
import type { OwnFileLook } from "../../../storage/own-stores.ts";
import { DataFile, type FileHealth } from "../data-file.ts";
import type { Shards } from "../shards.ts";
import { HelpedFile } from "../sql-process/helped-file.ts";
import type { ActorFile } from "./actor-file.ts";
import { lookAtAlarm, PARTS } from "./own-database-file.ts";
import { OwnFile, type OwnFileOptions, type OwnPlace } from "./own-file.ts";
import { forgetSpare, lookAt, type OwnPaths, ownPaths } from "./own-paths.ts";
import { OwnRecovery, type RecoveredFiles } from "./own-recovery.ts";
import { sparePath } from "./spare-files.ts";
import type { StatementWatch } from "./statement-watch.ts";

/** Where actors' own files are. */
export interface OwnDisk {
  /** A file that is closed is still there; in memory it is all there is, and stays open. */
  readonly keepsClosedFiles: boolean;
  /** What is there of an actor's file. */
  look(actorId: string): OwnFileLook;
  /** An actor's file, which isn't opened yet. `statementMs`: its code isn't trusted. */
  file(actorId: string, statementMs: number | undefined): ActorFile;
  /** Nothing of the actor's stays. Its file is closed. */
  remove(actorId: string): void;
}

/** What files are made of. */
export interface OwnDiskOptions {
  readonly env: Pick<Env, "afterTurn" | "clock" | "timers" | "log">;
  readonly health: FileHealth;
  readonly watch: StatementWatch;
  /** Puts an actor's alarm into the index; settles when it is durable. */
  readonly setAlarm: (actorId: string, at: number | null) => Promise<void>;
  readonly onFatal: (cause: unknown) => void;
}

/** The files of one data directory. */
export class OwnDirectory implements OwnDisk, RecoveredFiles {
  readonly keepsClosedFiles = true;
  readonly #options: OwnDiskOptions;
  readonly #place: OwnPlace;

  constructor(place: OwnPlace, options: OwnDiskOptions) {
    this.#options = options;
    this.#place = place;
  }

  look(actorId: string): OwnFileLook {
    return lookAt(this.#paths(actorId));
  }

  file(actorId: string, statementMs: number | undefined): ActorFile {
    if (statementMs === undefined) return this.#ownFile(actorId);
    const { env, health, setAlarm } = this.#options;
    const { helpers, durability } = this.#place;
    return new HelpedFile({
      env,
      helpers,
      durability,
      paths: this.#paths(actorId),
      health,
      statementMs,
      setAlarm: (at) => setAlarm(actorId, at),
    });
  }

  path(actorId: string): string {
    return this.#paths(actorId).path;
  }

  remove(actorId: string): void {
    const { path, spare } = this.#paths(actorId);
    for (const part of PARTS) rmSync(path + part, { force: true });
    rmSync(spare, { force: true });
  }

  /** At a start, before anybody is served: see `own-recovery.ts`. */
  recover(shards: Shards): Promise<void> {
    const { env, health, setAlarm } = this.#options;
    const { directory } = this.#place;
    return new OwnRecovery({ env, directory, shards, health, setAlarm, files: this }).run();
  }

  alarm(actorId: string): number | null {
    return lookAtAlarm(new DataFile(this.#paths(actorId).path, this.#options.health));
  }

  async settle(actorId: string): Promise<void> {
    const paths = this.#paths(actorId);
    if (!paths.exists()) return;
    const file = this.#ownFile(actorId);
    const rows = await file.load();
    const ended = rows.some(({ key }) => key === CREATED_ROW);
    await file.close();
    if (ended) forgetSpare(paths.spare);
  }

  removeSpare(digits: string): void {
    rmSync(sparePath(this.#place.directory, digits), { force: true });
  }

  #ownFile(actorId: string): OwnFile {
    const paths = this.#paths(actorId);
    return ownFile({ actorId, path: paths.path, place: { ...this.#place, paths } }, this.#options);
  }

  #paths(actorId: string): OwnPaths {
    return ownPaths(this.#place.directory, actorId);
  }
}

/** Databases in memory: there is no other process that could have them. */
export class OwnMemory implements OwnDisk {
  readonly keepsClosedFiles = false;
  readonly #options: OwnDiskOptions;

  constructor(options: OwnDiskOptions) {
    this.#options = options;
  }

  look(): OwnFileLook {
    return "none";
  }

  file(actorId: string): ActorFile {
    return ownFile({ actorId, path: actorId, place: "memory" }, this.#options);
  }

  remove(): void {}
}

function ownFile(
  of: { readonly actorId: string; readonly path: string; readonly place: OwnFileOptions["place"] },
  { health, setAlarm, ...options }: OwnDiskOptions,
): OwnFile {
  return new OwnFile({
    ...options,
    place: of.place,
    file: new DataFile(of.path, health),
    setAlarm: (at) => setAlarm(of.actorId, at),
  });
}
