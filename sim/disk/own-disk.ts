/** SimOwnDisk: the own files of one process's actors, and the helpers that open those of code that isn't trusted. */
import type { ActorFile } from "../../packages/runtime/src/node/sqlite/own/actor-file.ts";
import type { OwnDisk } from "../../packages/runtime/src/node/sqlite/own/own-directory.ts";
import { lookAt, type OwnPaths } from "../../packages/runtime/src/node/sqlite/own/own-paths.ts";
import { HelpedFile } from "../../packages/runtime/src/node/sqlite/sql-process/helped-file.ts";
import { HelperPool } from "../../packages/runtime/src/node/sqlite/sql-process/helper-pool.ts";
import type { OwnFileLook } from "../../packages/runtime/src/storage/own-stores.ts";
import type { SimProcess } from "../world/process.ts";
import type { SimDisk } from "./disk.ts";
import { SimOwnFile } from "./own-file.ts";
import { type FileLocks, SimHelper } from "./sql-helper.ts";

/** What they do on purpose wrong, for canaries. */
export interface OwnDiskFlaws {
  readonly earlySync?: boolean;
  /** A file that isn't there is taken for one that nobody was told of. */
  readonly takesMissingForNew?: boolean;
}

/** Own files, over the simulated disk. */
export class SimOwnDisk implements OwnDisk {
  readonly keepsClosedFiles = true;
  readonly #process: SimProcess;
  readonly #disk: SimDisk;
  readonly #flaws: OwnDiskFlaws;
  readonly #helpers: HelperPool;
  readonly #locks: FileLocks = new Map();

  constructor(process: SimProcess, disk: SimDisk, flaws: OwnDiskFlaws) {
    this.#process = process;
    this.#disk = disk;
    this.#flaws = flaws;
    this.#helpers = new HelperPool({
      env: process.env,
      start: (ear) => new SimHelper(ear, { server: process, disk, locks: this.#locks }),
      most: process.world.options.helpers,
    });
  }

  look(id: string): OwnFileLook {
    return lookAt(this.#paths(id));
  }

  file(id: string, statementMs: number | undefined): ActorFile {
    const disk = this.#disk;
    const early = this.#flaws.earlySync === true;
    if (statementMs === undefined)
      return new SimOwnFile({ process: this.#process, disk, paths: this.#paths(id), id, early });
    return new HelpedFile({
      env: this.#process.env,
      helpers: this.#helpers,
      durability: "commit",
      paths: this.#paths(id),
      health: { found: () => {}, missing: () => {} },
      statementMs,
      // It is in the file's own transaction here: an index that is behind is the production store's matter.
      setAlarm: async () => {},
    });
  }

  /** The directory's change has taken all of it. */
  remove(): void {}

  #paths(id: string): OwnPaths {
    const disk = this.#disk;
    const exists = () => disk.isThere(id);
    const isNew = () => disk.hasSpare(id) || (this.#flaws.takesMissingForNew === true && !exists());
    return { path: id, spare: id, exists, isNew };
  }

  /** Ends the helpers. */
  async close(): Promise<void> {
    await this.#helpers.close();
  }
}
