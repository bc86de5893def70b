/** DataFile: a file that actors' data is in, and what to say when something is wrong with it. */
import type { TroupeError } from "@troupe/base";
import { forCallers, storageErrors } from "../../errors.ts";
import type { DataHealth } from "./data-health.ts";
import { fileError } from "./files.ts";

/** A file whose damage is told to its actors' callers, without its path, and to whoever watches the process. */
export class DataFile {
  readonly path: string;
  readonly #health: DataHealth;

  constructor(path: string, health: DataHealth) {
    this.path = path;
    this.#health = health;
  }

  /** What was read isn't what was written. */
  damaged(detail: string): TroupeError {
    return this.error(storageErrors.corrupt(this.path, detail));
  }

  /** The error for what the file system or SQLite threw; the path is in its cause alone. */
  error(cause: unknown): TroupeError {
    const error = fileError(this.path, cause);
    this.#health.found(error);
    return forCallers(error);
  }
}
