/**
 * EmbeddedSandbox: one sandbox over two pools of workers.
 *
 * Its operations run one after the other, each in its turn (`lane.ts`) on a worker that is lent for it (`worker-pool.ts`), on files whose
 * truth is here (`image.ts`), and in a store if there is one: an operation is over when what it changed is saved. A deadline counts
 * from the operation's start, not from its call: what waits behind another command isn't late because of it.
 *
 * Processes run beside them, on workers of the other pool, and so do lines of shells. What one changed is taken over between two operations, as if it
 * were one: so no two changes are ever saved at once, and a worker's copy of the files is known to be old.
 */
import { readdir } from "node:fs/promises";
import { limits } from "@troupe/protocol";
import { packageErrors, sandboxErrors } from "../../errors.ts";
import { startDeadline } from "../deadline.ts";
import type { FileStore, ImageChanges } from "../file-store.ts";
import { lowerImage } from "../lower-image.ts";
import type { HostMount, Mount } from "../mounts.ts";
import type { SandboxNetwork } from "../network.ts";
import type { ProcessCommand, ProcessListener, SandboxProcess, SandboxProcessInfo } from "../process.ts";
import type {
  BootOptions,
  DirectoryEntry,
  ExecOptions,
  ExecResult,
  FileStat,
  Sandbox,
  SandboxUse,
} from "../sandbox.ts";
import type { EmbeddedBounds } from "./bounds.ts";
import { EmbeddedProcess } from "./embedded-process.ts";
import { EmbeddedTerminal } from "./embedded-terminal.ts";
import { Image } from "./image.ts";
import type { Lane } from "./lane.ts";
import type {
  Layers,
  Operation,
  OperationResults,
  ProcessResult,
  WorkerAnswer,
  WorkerFailure,
} from "./messages.ts";
import type { SandboxWorker } from "./sandbox-worker.ts";
import type { WorkerPool } from "./worker-pool.ts";
import { WorkerWatch } from "./worker-watch.ts";

const INSTALL = "npm install just-bash@3.4.2";

/** What runs beside other operations, on a worker of its own. */
type ProcessOperation = Operation & { readonly kind: "process" | "line" };

interface Bounds {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** The workers of a definition's sandboxes. */
export interface WorkerPools {
  readonly operations: WorkerPool;
  readonly processes: WorkerPool;
  readonly lanes: Readonly<Record<"files" | "commands" | "processes", Lane>>;
  readonly bounds: EmbeddedBounds;
  /** A worker of them has opened a sandbox: so will the others. */
  haveOpened: boolean;
}

/** A sandbox in workers. */
export class EmbeddedSandbox implements Sandbox {
  readonly #id: number;
  readonly #pools: WorkerPools;
  #image = Image.empty;
  readonly #files: FileStore | undefined;
  readonly #network: SandboxNetwork | undefined;
  readonly #mounts: readonly Mount[];
  readonly #onUse: (use: SandboxUse) => void;
  readonly #watch: WorkerWatch;
  #layers: Layers | undefined;
  readonly #closing = new AbortController();
  #left: Promise<void> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  readonly #processes = new Map<SandboxProcess, SandboxProcessInfo>();
  #lastPid = 0;
  /** What processes do on workers; one that was killed may still be leaving its own. */
  readonly #runs = new Set<Promise<unknown>>();

  constructor(
    id: number,
    pools: WorkerPools,
    { files, network, mounts = [], onUse = () => undefined }: Omit<BootOptions, "signal">,
  ) {
    this.#onUse = onUse;
    this.#watch = new WorkerWatch(pools.bounds, onUse);
    this.#mounts = mounts;
    this.#network = network;
    this.#id = id;
    this.#files = files;
    this.#pools = pools;
    pools.operations.enter();
    pools.processes.enter();
  }

  /** Rejects when sandboxes can't run here; then it is shut down. */
  async open(signal: AbortSignal): Promise<void> {
    try {
      if (this.#mounts.length > 0) this.#layers = await layersOf(this.#mounts);
      if (this.#files !== undefined) this.#take(await this.#image.with(await this.#files.load()));
      signal.throwIfAborted();
      // Of an empty one there is nothing that could fail, and its first operation opens it.
      const isEmpty = this.#layers === undefined && this.#image.version === 0;
      if (!isEmpty || !this.#pools.haveOpened) await this.#run({ kind: "open" }, { signal });
    } catch (cause) {
      await this.shutdown();
      throw cause;
    }
  }

  exec(command: string, options: ExecOptions = {}, signal?: AbortSignal): Promise<ExecResult> {
    const { timeoutMs = limits.sandboxExecMs } = options;
    if (!(timeoutMs > 0 && timeoutMs <= limits.sandboxExecMaxMs))
      return Promise.reject(sandboxErrors.invalidTimeout(limits.sandboxExecMaxMs));
    return this.#run({ kind: "exec", command, options }, { timeoutMs, signal });
  }

  async spawn(command: ProcessCommand, listener: ProcessListener): Promise<SandboxProcess> {
    this.#closing.signal.throwIfAborted();
    const process =
      command.terminal === undefined
        ? new EmbeddedProcess(command, listener, (stdin, signal) =>
            this.#beside({ kind: "process", command, stdin }, signal),
          )
        : new EmbeddedTerminal(command, command.terminal, {
            listener,
            run: (line, signal) => this.#beside({ kind: "line", ...line }, signal),
          });
    this.#lastPid += 1;
    const pid = this.#lastPid;
    const { command: program, args } = command;
    this.#processes.set(process, { pid, ppid: 0, pgid: pid, sid: pid, command: program, args });
    void process.ended.then(() => this.#processes.delete(process));
    return process;
  }

  async processes(): Promise<SandboxProcessInfo[]> {
    this.#closing.signal.throwIfAborted();
    return [...this.#processes.values()];
  }

  readFile(path: string): Promise<Uint8Array> {
    return this.#run({ kind: "readFile", path });
  }

  async writeFile(path: string, content: Uint8Array): Promise<void> {
    await this.#run({ kind: "writeFile", path, content });
  }

  stat(path: string): Promise<FileStat> {
    return this.#run({ kind: "stat", path });
  }

  exists(path: string): Promise<boolean> {
    return this.#run({ kind: "exists", path });
  }

  readdir(path: string): Promise<DirectoryEntry[]> {
    return this.#run({ kind: "readdir", path });
  }

  async mkdir(path: string, options: { readonly recursive?: boolean } = {}): Promise<void> {
    await this.#run({ kind: "mkdir", path, recursive: options.recursive ?? false });
  }

  async move(from: string, to: string): Promise<void> {
    await this.#run({ kind: "move", path: from, to });
  }

  async remove(path: string, options: { readonly recursive?: boolean } = {}): Promise<void> {
    await this.#run({ kind: "remove", path, recursive: options.recursive ?? false });
  }

  snapshot(): Promise<ImageChanges> {
    return this.#behind(async () => {
      this.#closing.signal.throwIfAborted();
      return this.#image.changes();
    });
  }

  restore(image: ImageChanges): Promise<void> {
    return this.#behind(async () => {
      this.#closing.signal.throwIfAborted();
      const kept = new Set(image.map(([path]) => path));
      const gone = this.#image.changes().filter(([path]) => !kept.has(path));
      const changes: ImageChanges = [
        // What was removed of an empty sandbox is there again.
        ...gone.map(([path]) => [path, { type: "removed", given: false }] as const),
        ...image,
      ];
      const next = await this.#next(changes);
      await this.#files?.save(changes);
      this.#take(next);
    });
  }

  whileSaved<R>(work: (above: ImageChanges) => Promise<R>): Promise<R> {
    return this.#behind(async () => {
      this.#closing.signal.throwIfAborted();
      // A worker tells of all directories on the way.
      return await work([]);
    });
  }

  connect(): Promise<never> {
    return Promise.reject(sandboxErrors.noPorts());
  }

  shutdown(): Promise<void> {
    this.#left ??= this.#leave();
    return this.#left;
  }

  async #leave(): Promise<void> {
    this.#closing.abort(sandboxErrors.closed());
    for (const process of this.#processes.keys()) process.kill("SIGKILL");
    await Promise.allSettled(this.#runs);
    await this.#last;
    await Promise.all([this.#pools.operations.leave(), this.#pools.processes.leave()]);
  }

  /** Behind all that were asked for before. */
  #run<O extends Operation>(operation: O, bounds: Bounds = {}): Promise<OperationResults[O["kind"]]> {
    const { operations, lanes } = this.#pools;
    const lane = operation.kind === "exec" ? lanes.commands : lanes.files;
    return this.#behind(() =>
      operations.use(lane.enter(`${this.#id}`), this.#id, (worker) => this.#on(worker, operation, bounds)),
    );
  }

  #behind<R>(work: () => Promise<R>): Promise<R> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #beside(operation: ProcessOperation, signal: AbortSignal): Promise<ProcessResult> {
    const run = this.#runProcess(operation, signal);
    this.#runs.add(run);
    return await run.finally(() => this.#runs.delete(run));
  }

  async #runProcess(operation: ProcessOperation, signal: AbortSignal): Promise<ProcessResult> {
    const work = async (worker: SandboxWorker) => {
      let gone: Promise<void> | undefined;
      const cutOff = () => {
        gone = worker.end(sandboxErrors.cancelled());
      };
      signal.addEventListener("abort", cutOff, { once: true });
      try {
        return await this.#behind(await this.#answered(worker, operation));
      } finally {
        signal.removeEventListener("abort", cutOff);
        await gone;
      }
    };
    const { operations, processes, lanes } = this.#pools;
    if (operation.kind === "process")
      return await processes.use(lanes.processes.enter(`${this.#id}`, signal), this.#id, work);
    // A share of their own: the sandbox's commands don't wait for its shells.
    return await operations.use(lanes.commands.enter(`${this.#id} shells`, signal), this.#id, work);
  }

  /** What has happened is saved. */
  #take(image: Image): void {
    if (image === this.#image) return;
    this.#image = image;
    const { fileBytes, files } = this.#pools.bounds;
    this.#onUse({ limit: "fileBytes", used: image.bytes, most: fileBytes });
    this.#onUse({ limit: "files", used: image.paths, most: files });
  }

  /** The files behind these changes. Where there are too many already they can become less. */
  async #next(changes: ImageChanges): Promise<Image> {
    const { fileBytes, files } = this.#pools.bounds;
    const next = await this.#image.with(changes);
    if (next.paths > Math.max(files, this.#image.paths))
      throw sandboxErrors.fileFailed("EDQUOT", `EDQUOT: the sandbox would have more than ${files} files`);
    if (next.bytes > Math.max(fileBytes, this.#image.bytes))
      throw sandboxErrors.fileFailed("ENOSPC", `ENOSPC: the files would have more than ${fileBytes} bytes`);
    return next;
  }

  /** Without what is in memory alone. */
  #durable(changes: ImageChanges): ImageChanges {
    const memory = this.#mounts.filter(({ mode }) => mode === "memory").map(({ path }) => path);
    if (memory.length === 0) return changes;
    return changes.filter(([path]) => !memory.some((mount) => `${path}/`.startsWith(`${mount}/`)));
  }

  async #on<O extends Operation>(
    worker: SandboxWorker,
    operation: O,
    bounds: Bounds,
  ): Promise<OperationResults[O["kind"]]> {
    const { timeoutMs, signal } = bounds;
    const stop = AbortSignal.any([this.#closing.signal, ...(signal === undefined ? [] : [signal])]);
    stop.throwIfAborted();
    const cutOff = () =>
      void worker.end(this.#closing.signal.aborted ? sandboxErrors.closed() : sandboxErrors.cancelled());
    const most = timeoutMs ?? limits.sandboxExecMaxMs;
    const stopClock = startDeadline(most, {
      near: (used) => this.#onUse({ limit: "execMs", used, most }),
      over: () => void worker.end(sandboxErrors.deadlineExceeded(most)),
    });
    stop.addEventListener("abort", cutOff, { once: true });
    try {
      const settle = await this.#answered(worker, operation);
      return await settle();
    } finally {
      stopClock();
      stop.removeEventListener("abort", cutOff);
    }
  }

  /** Has the worker do it. What this gives takes over what the operation changed, and says how it went. */
  async #answered<O extends Operation>(
    worker: SandboxWorker,
    operation: O,
  ): Promise<() => Promise<OperationResults[O["kind"]]>> {
    const { version } = this.#image;
    const seen = this.#watch.start(worker);
    try {
      const answer = await worker.request(this.#request(worker, operation), this.#network);
      return () => this.#settle<O>(worker, answer, version);
    } finally {
      seen();
    }
  }

  #request(worker: SandboxWorker, operation: Operation) {
    const { held } = worker;
    const network = this.#network?.variables;
    const current = held?.sandbox === this.#id && held.version === this.#image.version;
    const [image, layers] = current ? [] : [this.#image.changes(), this.#layers];
    return { sandbox: this.#id, image, layers, operation, network };
  }

  async #settle<O extends Operation>(
    worker: SandboxWorker,
    answer: WorkerAnswer,
    startedAt: number,
  ): Promise<OperationResults[O["kind"]]> {
    const { changes, failure } = answer;
    if (answer.holds) this.#pools.haveOpened = true;
    // Until it is saved it hasn't happened: when it can't be, the worker's copy is worth nothing.
    worker.held = undefined;
    const durable = this.#durable(changes);
    const next = await this.#next(changes);
    if (this.#files !== undefined && durable.length > 0) await this.#files.save(durable);
    const alone = this.#image.version === startedAt;
    this.#take(next);
    worker.held = answer.holds && alone ? { sandbox: this.#id, version: this.#image.version } : undefined;
    if (failure !== undefined) throw errorOf(failure);
    // The worker answers an operation with the result of its kind.
    return answer.result as OperationResults[O["kind"]];
  }
}

/** Rejects with `sandbox.mount_failed`. */
async function layersOf(mounts: readonly Mount[]): Promise<Layers> {
  const hosts = mounts.filter((mount): mount is HostMount => "hostPath" in mount && mount.mode !== "overlay");
  for (const { path, hostPath, mode } of hosts) {
    if (mode === "read-write")
      throw sandboxErrors.mountFailed(path, new Error("read-write takes the process driver"));
    await readdir(hostPath).catch((cause: unknown) => {
      throw sandboxErrors.mountFailed(path, cause);
    });
  }
  return { lower: await lowerImage(mounts), hosts };
}

function errorOf(failure: WorkerFailure): Error {
  if (failure.kind === "missing") return packageErrors.missing("just-bash", INSTALL, failure.message);
  if (failure.kind === "file") return sandboxErrors.fileFailed(failure.code, failure.message);
  return sandboxErrors.fileFailed("EIO", failure.message);
}
