/**
 * LookedAt: a database that is only looked at. Where it has no log nothing beside it is made; where a killed process left one,
 * what SQLite makes to read it is removed again. Whoever looks holds the folder's lock.
 */
import { existsSync, rmSync, statSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { type Database, openDatabase } from "../sqlite.ts";

/** Open until the end of its scope. */
export class LookedAt implements Disposable {
  readonly database: Database;
  readonly #made: readonly string[];

  /** Throws what SQLite throws. */
  constructor(path: string) {
    const log = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    this.#made = ["-wal", "-shm"].map((part) => path + part).filter((name) => !existsSync(name));
    this.database =
      log === 0
        ? openDatabase(`${pathToFileURL(path)}?immutable=1`, { readOnly: true })
        : openDatabase(path, { readOnly: true });
  }

  [Symbol.dispose](): void {
    this.database.close();
    for (const path of this.#made) rmSync(path, { force: true });
  }
}
