/**
 * The embedded driver: just-bash in a pool of processes, with files in memory that a store may keep.
 *
 * It needs nothing but npm and boots in milliseconds. It is for the user's own agent: a process of the
 * same user is no boundary against somebody hostile. Commands are those of just-bash; there is no real process, and no network but the one that it is given.
 */
import { limits } from "@troupe/protocol";
import { checkDriverOptions } from "../driver-options.ts";
import type { BootOptions, Sandbox, SandboxDriver } from "../sandbox.ts";
import { EmbeddedSandbox, type WorkerPools } from "./embedded-sandbox.ts";
import { Lane } from "./lane.ts";
import { SandboxWorker } from "./sandbox-worker.ts";
import { WorkerPool } from "./worker-pool.ts";

/** What its sandboxes may use. */
export interface EmbeddedDriverOptions {
  /** What each command, process and line of a shell may hold in memory. Bytes; default 256 MiB. */
  readonly memoryBytes?: number;
  /** All files of a sandbox. Bytes; default and most 64 MiB. */
  readonly fileBytes?: number;
  /** Files and directories of a sandbox. Default 50,000. */
  readonly files?: number;
  /** Time of the processor that a command, process or line of a shell may take. Seconds; default: no end. */
  readonly cpuSeconds?: number;
}

const optionLimits = {
  memoryBytes: {},
  fileBytes: { most: limits.sandboxFileBytes },
  files: {},
  cpuSeconds: { isWhole: false },
} satisfies Record<keyof EmbeddedDriverOptions, object>;

/** Boots sandboxes that share a few workers. Rejects with `package.missing { install }` without just-bash. */
export class EmbeddedDriver implements SandboxDriver {
  readonly name = "embedded";
  readonly hasPorts = false;
  readonly #pools: WorkerPools;
  #booted = 0;

  /** Throws `config.invalid_option`, `config.unknown_option`. */
  constructor(options: EmbeddedDriverOptions = {}) {
    checkDriverOptions("EmbeddedDriver", options, { limits: optionLimits });
    const { memoryBytes, fileBytes, files, cpuSeconds } = options;
    const bounds = {
      memoryBytes: memoryBytes ?? limits.sandboxWorkerBytes,
      fileBytes: fileBytes ?? limits.sandboxFileBytes,
      files: files ?? limits.sandboxFiles,
      cpuSeconds,
    };
    const start = () => new SandboxWorker(bounds);
    this.#pools = {
      operations: new WorkerPool(start),
      processes: new WorkerPool(start),
      lanes: {
        // Nobody's program runs in them: they are behind none that does.
        files: new Lane({ prompt: limits.sandboxWorkers, long: limits.sandboxWorkers }),
        commands: new Lane({ prompt: limits.sandboxWorkers, long: limits.sandboxLongWorkers }),
        processes: new Lane({ prompt: limits.sandboxProcessWorkers, long: limits.sandboxLongWorkers }),
      },
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
