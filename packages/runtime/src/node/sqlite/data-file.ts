/** DataFile: a file that actors' data is in, and what to say when something is wrong with it. */
import type { TroupeError } from "@troupe/base";
import { storageErrors } from "../../errors.ts";
import { forCallers } from "./data-errors.ts";
import type { DataHealth } from "./data-health.ts";
import { fileError, isFullDisk } from "./files.ts";
import { isDamage } from "./sqlite.ts";

/** Who hears of a file's damage. */
export type FileHealth = Pick<DataHealth, "found" | "missing">;

/** A file whose damage is told to its actors' callers, without its path, and to whoever watches the process. */
export class DataFile {
  readonly path: string;
  readonly #health: FileHealth;

  constructor(path: string, health: FileHealth) {
    this.path = path;
    this.#health = health;
  }

  /** What was read isn't what was written. */
  damaged(detail: string): TroupeError {
    return this.error(storageErrors.corrupt(this.path, detail));
  }

  /** It isn't there, and was. */
  missing(): TroupeError {
    const error = storageErrors.corrupt(this.path, "it is missing");
    this.#health.missing(this.path, error);
    return forCallers(error);
  }

  /** What was thrown by a write: as it is when it is the batch's own matter, else as {@link error}. */
  ofWrite(cause: unknown): unknown {
    return isDamage(cause) || isFullDisk(this.path, cause) ? this.error(cause) : cause;
  }

  /** The error for what the file system or SQLite threw; the path is in its cause alone. */
  error(cause: unknown): TroupeError {
    const error = fileError(this.path, cause);
    this.#health.found(error);
    return forCallers(error);
  }
}
