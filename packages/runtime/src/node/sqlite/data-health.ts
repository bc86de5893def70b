/**
 * DataHealth: whether the data directory is known to be whole.
 *
 * A damaged file fails the calls to its own actors and nobody else's, so a process goes on with it. Who watches the process
 * has to know all the same: from the first damage on, and once the disk has failed, `/readyz` says why it isn't ready.
 * Nothing here is taken back: a repair needs a restart, or is noticed by one.
 */
import type { Logger, TroupeError } from "@troupe/base";
import { storageErrors } from "../../errors.ts";

/** Errors after which a file can't be trusted, or used by this program. Not a full disk: that passes. */
const LASTING: ReadonlySet<string> = new Set(["corrupt", "newer_layout", "disk_failed"]);

/** What is known to be wrong with a data directory. */
export class DataHealth {
  readonly #log: Pick<Logger, "error">;
  #failure: string | undefined;

  constructor(log: Pick<Logger, "error">) {
    this.#log = log;
  }

  /** The `group.code` of the first thing that was found wrong for good. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** A file failed; only what lasts counts. */
  found(error: TroupeError): void {
    if (this.#failure !== undefined || error.group !== "storage" || !LASTING.has(error.code)) return;
    this.#failure = `${error.group}.${error.code}`;
    this.#log.error(
      "data on disk can't be used; /readyz fails until that was mended and the process restarted",
      {
        cause: error,
      },
    );
  }

  /** Nothing can be made durable any more. */
  broken(cause: unknown): void {
    this.found(storageErrors.diskFailed("the data directory", cause));
  }
}
