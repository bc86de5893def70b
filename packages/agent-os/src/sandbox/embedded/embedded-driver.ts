/**
 * The embedded driver: just-bash in a pool of worker threads, with files in memory that a store may keep.
 *
 * It needs nothing but npm and boots in milliseconds. It is for the user's own agent: a worker thread is no boundary
 * against somebody hostile. Commands are those of just-bash; there is no real process, and no network but the one that it is given.
 */
import { limits } from "@troupe/protocol";
import type { BootOptions, Sandbox, SandboxDriver } from "../sandbox.ts";
import { EmbeddedSandbox } from "./embedded-sandbox.ts";
import { ThreadPool } from "./thread-pool.ts";

/** Boots sandboxes that share a few threads. Rejects with `package.missing { install }` without just-bash. */
export class EmbeddedDriver implements SandboxDriver {
  readonly name = "embedded";
  readonly #pools = {
    operations: new ThreadPool(limits.sandboxThreads),
    processes: new ThreadPool(limits.sandboxProcessThreads),
    haveOpened: false,
  };
  #booted = 0;

  keepWarm(): () => Promise<void> {
    return this.#pools.operations.keepWarm();
  }

  async boot({ signal, ...rest }: BootOptions): Promise<Sandbox> {
    this.#booted += 1;
    const sandbox = new EmbeddedSandbox(this.#booted, this.#pools, rest);
    await sandbox.open(signal);
    return sandbox;
  }
}
