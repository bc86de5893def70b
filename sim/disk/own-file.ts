/**
 * SimOwnFile: an actor's own file, opened by the server's process. SQLite is the real one, in memory; what is on the
 * simulated disk is what was committed.
 */
import { storageErrors } from "../../packages/runtime/src/errors.ts";
import type {
  ActorFile,
  ActorFileUse,
  OwnTarget,
} from "../../packages/runtime/src/node/sqlite/own/actor-file.ts";
import type { OwnConnection } from "../../packages/runtime/src/node/sqlite/own/own-connection.ts";
import { lookAt, type OwnPaths } from "../../packages/runtime/src/node/sqlite/own/own-paths.ts";
import { OwnSql } from "../../packages/runtime/src/node/sqlite/own/own-sql.ts";
import type { ActorSql, Row, RowRange } from "../../packages/runtime/src/ports/storage.ts";
import type { Write } from "../../packages/runtime/src/storage/commit-file.ts";
import type { SimProcess } from "../world/process.ts";
import type { Random } from "../world/random.ts";
import type { SimDisk } from "./disk.ts";
import { commitSimDatabase, openSimDatabase } from "./own-database.ts";
import { simulateSync } from "./sync.ts";

const unwatched = { begin: () => {}, end: () => {} };

/** What it is made of. */
export interface SimOwnFileParts {
  readonly process: SimProcess;
  readonly disk: SimDisk;
  readonly paths: OwnPaths;
  readonly id: string;
  readonly early: boolean;
}

/** The file of one actor whose code is trusted. */
export class SimOwnFile implements ActorFile {
  readonly #parts: SimOwnFileParts;
  readonly #random: Random;
  #connection: OwnConnection | undefined;
  /** Something was written since the last sync began. */
  #written = false;

  constructor(parts: SimOwnFileParts) {
    this.#parts = parts;
    this.#random = parts.process.random.fork();
  }

  sql({ actorId, check, wrote, hold }: ActorFileUse): ActorSql {
    const connection = (): OwnConnection => {
      check();
      return this.#open();
    };
    return new OwnSql({ actorId, watch: unwatched, connection, wrote, hold });
  }

  load(): readonly Row[] {
    return this.#connection === undefined && lookAt(this.#parts.paths) === "unused"
      ? []
      : this.#open().load();
  }

  read(_target: OwnTarget, keys: readonly string[]): readonly (Uint8Array | undefined)[] {
    return this.#open().read(keys);
  }

  list(_target: OwnTarget, range: RowRange): readonly Row[] {
    return this.#open().list(range);
  }

  write(writes: readonly Write<OwnTarget>[]): void {
    const { process, disk, id } = this.#parts;
    const { world } = process;
    if (!process.alive) throw storageErrors.closed();
    const connection = this.#open();
    for (const { batch } of writes) {
      if (batch.rows.length === 0 && batch.alarm === undefined && !connection.inTransaction) {
        connection.checkWhole();
        continue;
      }
      if (world.faults.strikes(world.options.failWrite)) {
        world.counters.add("ENOSPC for an actor's own file");
        connection.rollback();
        throw new Error("ENOSPC: no space left on device, write");
      }
      world.faults.visit("before a write");
      if (!process.alive) throw storageErrors.closed();
      commitSimDatabase(disk, id, connection, batch);
      this.#written = true;
      world.faults.visit("between write and sync");
    }
  }

  sync(done: (error?: unknown) => void): void {
    const { process, id } = this.#parts;
    if (!this.#written) return process.enter(done);
    this.#written = false;
    simulateSync({ ...this.#parts, random: this.#random, file: id }, done);
  }

  abandon(): void {
    this.#connection?.rollback();
  }

  async close(): Promise<void> {
    this.#connection?.database.close();
    this.#connection = undefined;
  }

  #open(): OwnConnection {
    const { process, disk, id } = this.#parts;
    // Code of a dead process runs on in limbo: what it does to a file isn't seen.
    if (!process.alive) throw storageErrors.closed();
    this.#connection ??= openSimDatabase(disk, id, process.env.afterTurn);
    return this.#connection;
  }
}
