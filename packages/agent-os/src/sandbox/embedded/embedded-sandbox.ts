/**
 * EmbeddedSandbox: one sandbox over a pool of threads.
 *
 * Its operations run one after the other, each on a thread that is lent for it (`thread-pool.ts`), on files whose truth is
 * here (`image.ts`), and in a store if there is one: an operation is over when what it changed is saved. A deadline counts from the operation's start, not from its call: what waits behind another command
 * isn't late because of it.
 */
import { limits } from "@troupe/protocol";
import { packageErrors, sandboxErrors } from "../../errors.ts";
import type { FileStore } from "../file-store.ts";
import type { DirectoryEntry, ExecOptions, ExecResult, FileStat, Sandbox } from "../sandbox.ts";
import { Image } from "./image.ts";
import type { Operation, OperationResults, ThreadAnswer, ThreadFailure } from "./messages.ts";
import type { SandboxThread } from "./sandbox-thread.ts";
import type { ThreadPool } from "./thread-pool.ts";

const INSTALL = "npm install just-bash@3.4.2";

interface Bounds {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A sandbox in worker threads. */
export class EmbeddedSandbox implements Sandbox {
  readonly #id: number;
  readonly #pool: ThreadPool;
  readonly #image = new Image();
  readonly #files: FileStore | undefined;
  readonly #closing = new AbortController();
  #left: Promise<void> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(id: number, pool: ThreadPool, files?: FileStore) {
    this.#id = id;
    this.#files = files;
    this.#pool = pool;
    pool.enter();
  }

  /** Rejects when sandboxes can't run here; then it is shut down. */
  async open(signal: AbortSignal): Promise<void> {
    try {
      if (this.#files !== undefined) this.#image.apply(await this.#files.load());
      await this.#run({ kind: "open" }, { signal });
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

  shutdown(): Promise<void> {
    this.#left ??= this.#leave();
    return this.#left;
  }

  async #leave(): Promise<void> {
    this.#closing.abort(sandboxErrors.closed());
    await this.#last;
    await this.#pool.leave();
  }

  /** Behind all that were asked for before. */
  #run<O extends Operation>(operation: O, bounds: Bounds = {}): Promise<OperationResults[O["kind"]]> {
    const done = this.#last.then(() =>
      this.#pool.use(this.#id, (thread) => this.#on(thread, operation, bounds)),
    );
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #on<O extends Operation>(
    thread: SandboxThread,
    operation: O,
    bounds: Bounds,
  ): Promise<OperationResults[O["kind"]]> {
    const { timeoutMs = limits.sandboxExecMaxMs, signal } = bounds;
    const stop = AbortSignal.any([this.#closing.signal, ...(signal === undefined ? [] : [signal])]);
    stop.throwIfAborted();
    const cutOff = () =>
      void thread.end(this.#closing.signal.aborted ? sandboxErrors.closed() : sandboxErrors.cancelled());
    const deadline = setTimeout(() => void thread.end(sandboxErrors.deadlineExceeded(timeoutMs)), timeoutMs);
    stop.addEventListener("abort", cutOff, { once: true });
    try {
      return await this.#settle<O>(thread, await thread.request(this.#request(thread, operation)));
    } finally {
      clearTimeout(deadline);
      stop.removeEventListener("abort", cutOff);
    }
  }

  #request(thread: SandboxThread, operation: Operation) {
    const { held } = thread;
    const current = held?.sandbox === this.#id && held.version === this.#image.version;
    return { sandbox: this.#id, image: current ? undefined : this.#image.changes(), operation };
  }

  async #settle<O extends Operation>(
    thread: SandboxThread,
    answer: ThreadAnswer,
  ): Promise<OperationResults[O["kind"]]> {
    const { changes, failure } = answer;
    // Until it is saved it hasn't happened: when it can't be, the thread's copy is worth nothing.
    thread.held = undefined;
    if (this.#files !== undefined && changes.length > 0) await this.#files.save(changes);
    this.#image.apply(changes);
    thread.held = answer.holds ? { sandbox: this.#id, version: this.#image.version } : undefined;
    if (failure !== undefined) throw errorOf(failure);
    // The thread answers an operation with the result of its kind.
    return answer.result as OperationResults[O["kind"]];
  }
}

function errorOf(failure: ThreadFailure): Error {
  if (failure.kind === "missing") return packageErrors.missing("just-bash", INSTALL, failure.message);
  if (failure.kind === "file") return sandboxErrors.fileFailed(failure.code, failure.message);
  return sandboxErrors.fileFailed("EIO", failure.message);
}
