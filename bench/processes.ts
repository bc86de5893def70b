/**
 * Starts the bench's processes, each pinned to a core of its own where the machine has two and `taskset`.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { LoadOrder, LoadResult, ServerName, ServerReady, ServerUsage } from "./protocol.ts";

const canPin = availableParallelism() > 1 && spawnSync("taskset", ["-c", "0", "true"]).status === 0;

/** How processes were placed: printed with the figures. */
export const placement = canPin ? "server on core 0, client on core 1" : "server and client share the cores";

/** A process of the bench, with a line to it. `flags` are Node's. */
export function start(
  core: number,
  script: string,
  args: readonly string[],
  flags: readonly string[] = [],
): ChildProcess {
  const node = [
    process.execPath,
    "--expose-gc",
    ...flags,
    "--conditions=troupe-source",
    join(import.meta.dirname, script),
    ...args,
  ];
  const [command = "", ...rest] = canPin ? ["taskset", "-c", String(core), ...node] : node;
  return spawn(command, rest, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
}

/** What it says next. Rejects when it ends instead. */
export function next<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`a bench process ended with ${code}`));
    child.once("exit", onExit);
    child.once("message", (message) => {
      child.off("exit", onExit);
      resolve(message as T);
    });
  });
}

/** A server under test over a fresh data directory. */
export class BenchServer implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #dataDir: string;

  private constructor(child: ChildProcess, dataDir: string, port: number) {
    this.#child = child;
    this.#dataDir = dataDir;
    this.port = port;
  }

  static async start(name: ServerName, options: { checkpointBytes?: number } = {}): Promise<BenchServer> {
    const dataDir = mkdtempSync(join(tmpdir(), "troupe-bench-"));
    const extra = options.checkpointBytes === undefined ? [] : [String(options.checkpointBytes)];
    const child = start(0, "server.ts", [name, dataDir, ...extra]);
    const ready = await next<ServerReady>(child);
    return new BenchServer(child, dataDir, ready.port);
  }

  /** Since it was last asked. Nothing is collected for it. */
  async usage(): Promise<ServerUsage> {
    const answer = next<ServerUsage>(this.#child);
    this.#child.send("usage");
    return await answer;
  }

  /** Heap and buffers, behind a collection. */
  async settledHeapBytes(): Promise<number> {
    const answer = next<number>(this.#child);
    this.#child.send("settled");
    return await answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await gone;
    rmSync(this.#dataDir, { recursive: true, force: true });
  }
}

/** The load generator. */
export class BenchLoad implements Disposable {
  readonly #child = start(1, "load.ts", []);

  async run(order: LoadOrder): Promise<LoadResult> {
    const answer = next<LoadResult>(this.#child);
    this.#child.send(order);
    return await answer;
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}
