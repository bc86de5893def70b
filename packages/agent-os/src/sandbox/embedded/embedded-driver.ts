/**
 * The embedded driver: just-bash in a pool of worker threads, with files in memory that a store may keep.
 *
 * It needs nothing but npm and boots in milliseconds. It is for the user's own agent: a worker thread is no boundary
 * against somebody hostile. Commands are those of just-bash; there is no real process, and no network but the one that it is given.
 */
import { Worker } from "node:worker_threads";
import { limits } from "@troupe/protocol";
import { configErrors } from "../../errors.ts";
import { checkDriverOptions } from "../driver-options.ts";
import type { BootOptions, Sandbox, SandboxDriver } from "../sandbox.ts";
import { EmbeddedSandbox, type ThreadPools } from "./embedded-sandbox.ts";
import { SandboxThread } from "./sandbox-thread.ts";
import { ThreadPool } from "./thread-pool.ts";

/** What its sandboxes may use. */
export interface EmbeddedDriverOptions {
  /** The heap of each command, process and line of a shell. Bytes; default 256 MiB. */
  readonly memoryBytes?: number;
  /** All files of a sandbox. Bytes; default and most 64 MiB. */
  readonly fileBytes?: number;
  /** Files and directories of a sandbox. Default 50,000. */
  readonly files?: number;
  /** Time of the processor that a command, process or line of a shell may take. Seconds; default: no end. It takes Node 24.6. */
  readonly cpuSeconds?: number;
}

const optionLimits = {
  memoryBytes: {},
  fileBytes: { most: limits.sandboxFileBytes },
  files: {},
  cpuSeconds: { isWhole: false },
} satisfies Record<keyof EmbeddedDriverOptions, object>;

/** Boots sandboxes that share a few threads. Rejects with `package.missing { install }` without just-bash. */
export class EmbeddedDriver implements SandboxDriver {
  readonly name = "embedded";
  readonly #pools: ThreadPools;
  #booted = 0;

  /** Throws `config.invalid_option`, `config.unknown_option`. */
  constructor(options: EmbeddedDriverOptions = {}) {
    checkDriverOptions("EmbeddedDriver", options, { limits: optionLimits });
    const { memoryBytes, fileBytes, files, cpuSeconds } = options;
    if (cpuSeconds !== undefined && !("cpuUsage" in Worker.prototype))
      throw configErrors.invalidOption("EmbeddedDriver.cpuSeconds", "left out before Node 24.6");
    const bounds = {
      memoryBytes: memoryBytes ?? limits.sandboxHeapBytes,
      fileBytes: fileBytes ?? limits.sandboxFileBytes,
      files: files ?? limits.sandboxFiles,
      cpuSeconds,
    };
    const start = () => new SandboxThread(bounds);
    this.#pools = {
      operations: new ThreadPool(limits.sandboxThreads, start),
      processes: new ThreadPool(limits.sandboxProcessThreads, start),
      bounds,
      haveOpened: false,
    };
  }

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
