/**
 * ReadSnapshot: the reads of one turn take the file's lock once.
 *
 * A statement that only reads, outside of a batch's transaction, makes SQLite take a lock on the log and give it back:
 * half of what a read by its key costs. So the second one of a turn opens a transaction that only reads, and the others of
 * that turn run inside it. Nobody else writes to the file, so all of them see what they would see without it. It ends
 * with the turn, or before the first write of a batch: a checkpoint never has to wait for it.
 *
 *   none ──read──▶ once ──read──▶ open ── end of the turn, or a write ──▶ none
 */
import type { Env } from "@troupe/base";
import type { Database } from "../sqlite.ts";

/** The transaction of one connection that only reads. */
export class ReadSnapshot {
  readonly #database: Database;
  readonly #afterTurn: Env["afterTurn"];
  #state: "none" | "once" | "open" = "none";
  #ending = false;

  constructor(database: Database, afterTurn: Env["afterTurn"]) {
    this.#database = database;
    this.#afterTurn = afterTurn;
  }

  /** Before a statement that only reads. */
  look(): void {
    if (this.#state === "open") return;
    if (this.#state === "once") {
      this.#database.exec("BEGIN");
      this.#state = "open";
      return;
    }
    this.#state = "once";
    if (this.#ending) return;
    this.#ending = true;
    this.#afterTurn(this.#turnEnded);
  }

  /** Ends it, if there is one. */
  end(): void {
    const isOpen = this.#state === "open";
    this.#state = "none";
    // SQLite may have ended it by itself, when a statement failed.
    if (isOpen && this.#database.isTransaction) this.#database.exec("COMMIT");
  }

  readonly #turnEnded = (): void => {
    this.#ending = false;
    this.end();
  };
}
