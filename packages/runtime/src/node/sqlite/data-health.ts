/**
 * DataHealth: whether the data directory is known to be whole, and takes writes.
 *
 * A damaged file fails the calls to its own actors and nobody else's, so a process goes on with it. Who watches the process
 * has to know all the same: from the first damage on, and once the disk has failed, `/readyz` says why it isn't ready.
 * That is never taken back: a repair needs a restart, or is noticed by one.
 *
 * A file that isn't there may come back, whole, and its actor serves again as soon as it does: so until then, and no longer, the
 * directory isn't whole.
 *
 * A full disk passes. From a write that it refused on, whoever asks is told so until there is room again; as nobody may call
 * any more by then, that is looked for, and not waited for.
 */
import type { Env, TroupeError } from "@troupe/base";
import { Seldom } from "../../seldom.ts";
import { dataErrors } from "./data-errors.ts";
import { hasRoom } from "./files.ts";
import { MissingFiles } from "./missing-files.ts";

/** Errors after which a file can't be trusted, or used by this program. */
const LASTING: ReadonlySet<string> = new Set(["corrupt", "newer_layout", "disk_failed"]);
/** A look writes a few kilobytes, synced: at most one in so long. */
const LOOK_MS = 1_000;

/** What is known to be wrong with a data directory. */
export class DataHealth {
  readonly #env: Pick<Env, "clock" | "log">;
  readonly #directory: string;
  readonly #seldom: Seldom;
  readonly #missing = new MissingFiles();
  #failure: string | undefined;
  #isFull = false;
  #lookedAt = 0;

  /** `directory`: where there must be room. */
  constructor(env: Pick<Env, "clock" | "log">, directory: string) {
    this.#env = env;
    this.#directory = directory;
    this.#seldom = new Seldom(env.clock);
  }

  /** The `group.code` of the first thing that was found wrong for good; of a missing file until it is back, of a full disk while it is full. */
  get failure(): string | undefined {
    if (this.#failure !== undefined) return this.#failure;
    if (this.#stillMissing()) return "storage.corrupt";
    return this.#stillFull() ? "storage.disk_full" : undefined;
  }

  /** A file failed; only what concerns more than one call counts. */
  found(error: TroupeError): void {
    if (error.group !== "storage") return;
    if (error.code === "disk_full") this.#full(error);
    if (this.#failure !== undefined || !LASTING.has(error.code)) return;
    this.#failure = `${error.group}.${error.code}`;
    this.#env.log.error(
      "data on disk can't be used; /readyz fails until that was mended and the process restarted",
      {
        cause: error,
      },
    );
  }

  /** A file isn't there. `error`: what its actors' callers are told. */
  missing(path: string, error: TroupeError): void {
    if (!this.#missing.add(path)) return;
    this.#env.log.error("a file with data is missing; /readyz fails until it is back", {
      path,
      cause: error,
    });
  }

  /** Nothing can be made durable any more. */
  broken(cause: unknown): void {
    this.found(dataErrors.diskFailed("the data directory", cause));
  }

  /** A full disk was given a log's room. */
  emptied(path: string): void {
    const more = this.#seldom.take(path);
    if (more !== undefined)
      this.#env.log.warn("the disk is full; a shard's log was emptied for room", { path, more });
  }

  #full(error: TroupeError): void {
    this.#lookedAt = this.#env.clock.monotonic();
    if (this.#isFull) return;
    this.#isFull = true;
    const { message } = error;
    this.#env.log.error("writes fail, and /readyz with them, until there is room on the disk", { message });
  }

  #stillMissing(): boolean {
    if (this.#missing.none) return false;
    const isMissing = this.#missing.look();
    if (!isMissing) this.#env.log.info("the files that were missing are back");
    return isMissing;
  }

  #stillFull(): boolean {
    const now = this.#env.clock.monotonic();
    if (!this.#isFull || now - this.#lookedAt < LOOK_MS) return this.#isFull;
    this.#lookedAt = now;
    this.#isFull = !hasRoom(this.#directory);
    if (!this.#isFull) this.#env.log.info("there is room on the disk again");
    return this.#isFull;
  }
}
