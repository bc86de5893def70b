/**
 * Worker carrier: a plugin as a process of its own, over gRPC on a Unix socket.
 *
 * The host makes a private folder, listens there, starts the process and waits for it to connect, once, with its token.
 * From then on there are four ways to end, and whichever comes first is the cause that is told: the process ends (a
 * crash), the connection ends or carries nonsense, the process says nothing any more (it was stopped, or loops: a ready one is asked for a
 * sign of life again and again), the host closes. Each ends in the same order: the process group is
 * killed if it doesn't end by itself, the server is shut, the folder is removed, and `ended` is called, last. A process
 * that crashes closes its connection a moment before it is seen to have ended: so the end of a connection waits a little
 * for that better reason. Nothing is started again here: whoever wants the plugin back opens another carrier.
 */
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import type { Env, TroupeError } from "@troupe/base";
import { engineLimits } from "@troupe/protocol";
import { type HostFrame, HostFrameCodec, PluginFrameCodec } from "@troupe/protocol/plugin/v1";
import { lacksDescriptors, makeOwnedFolder, tooManyOpenFiles } from "@troupe/runtime/process";
import type { Carrier, CarrierEvents, CloseReport, OpenCarrier } from "../../carrier.ts";
import { pluginErrors } from "../../errors.ts";
import type { Origin } from "../../manifest/checked-file.ts";
import type { NativeLoad, WorkerLoad } from "../../manifest/load.ts";
import { FrameBudget } from "../frame-budget.ts";
import { SilenceWatch } from "../silence-watch.ts";
import type { BatchStream } from "./batch-stream.ts";
import { type WorkerExit, workerErrors } from "./errors.ts";
import { FrameQueue } from "./frame-queue.ts";
import { planLaunch } from "./launch.ts";
import { libraryFailure } from "./library-failure.ts";
import { settledWithin } from "./settled-within.ts";
import { socketIn, WORKER_FOLDER } from "./socket-place.ts";
import type { WorkerBounds } from "./worker-bounds.ts";
import { WorkerProcess } from "./worker-process.ts";
import { WorkerServer } from "./worker-server.ts";

/** What a worker is opened from. */
export interface WorkerOptions {
  /** Its id, for errors. */
  readonly plugin: string;
  /** The host's: by it the process is watched. */
  readonly env: Pick<Env, "log" | "clock" | "timers">;
  readonly origin: Origin;
  /** A native plugin's library is loaded by a program of ours. */
  readonly load: WorkerLoad | NativeLoad;
  /** The absolute path of a library that is loaded in place of a native plugin's. Default: none. */
  readonly override?: string | undefined;
  /** Default: `engineLimits.workerConnectMs`. */
  readonly connectTimeoutMs?: number;
  /** Of all its processes together. Default: as the limits say. */
  readonly bounds?: WorkerBounds;
}

/** How long the end of a connection waits for the end of the process, which says more. */
const EXIT_GRACE_MS = 1_000;

/** Each waits 100 ms longer than the one before. */
const REMOVALS = 5;

const PING = HostFrameCodec.encode({ body: { $case: "ping", value: { number: 0 } } });
const WATCHED = {
  beatMs: engineLimits.workerBeatMs,
  notedMs: engineLimits.workerSilentMs,
  mostMs: engineLimits.workerHungMs,
};

/** Opens a worker. Rejects with `config.no_temporary_folder`, `plugin.file_*`, `plugin.integrity_mismatch`, `plugin.worker_*`, `storage.too_many_open_files`. */
export function workerCarrier(options: WorkerOptions): OpenCarrier {
  return async (events) => {
    const { plugin, env, load, origin, override } = options;
    await using room = new AsyncDisposableStack();
    const folder = room.adopt(await makeOwnedFolder(WORKER_FOLDER), (path) =>
      // Without a descriptor nothing can be removed: it is tried for a while.
      rm(path, { recursive: true, force: true, maxRetries: REMOVALS }),
    );
    const launch = await planLaunch({ load, origin, folder, override });
    const handover = { socket: socketIn(folder), token: randomBytes(32).toString("hex") };
    const listening = WorkerServer.listen(handover).catch((cause: unknown) => {
      if (lacksDescriptors(cause)) throw tooManyOpenFiles(cause);
      throw workerErrors.noSocket(plugin, handover.socket, cause);
    });
    const server = room.adopt(await listening, (it) => it.close());
    const started = new WorkerProcess(launch, handover, { log: env.log, bounds: options.bounds });
    const child = room.adopt(started, (it) => it.kill());
    const stream = await connected(options, server, child, launch.program);
    const ofLibrary = load.kind === "native";
    return new WorkerCarrier({ plugin, env, child, stream, ofLibrary, room: room.move() }, events);
  };
}

/** The stream, or the reason why there is none. */
async function connected(
  { plugin, connectTimeoutMs = engineLimits.workerConnectMs }: WorkerOptions,
  server: WorkerServer,
  child: WorkerProcess,
  program: string,
): Promise<BatchStream> {
  const stream = await settledWithin(
    Promise.race([server.attached, endedEarly(plugin, child, program)]),
    connectTimeoutMs,
  );
  if (stream !== undefined) return stream;
  child.kill();
  await child.exited;
  const { refused } = server;
  throw workerErrors.connectTimeout(plugin, connectTimeoutMs, { refused, stderr: child.stderr });
}

async function endedEarly(plugin: string, child: WorkerProcess, program: string): Promise<never> {
  const exit = await child.exited.catch((cause: unknown) => {
    throw workerErrors.notStarted(plugin, program, cause);
  });
  throw endedWith(plugin, child, exit);
}

function endedWith(plugin: string, { excess, stderr }: WorkerProcess, exit: WorkerExit): TroupeError {
  if (excess !== undefined) return workerErrors.exceeded(plugin, excess, stderr);
  return workerErrors.exited(plugin, exit, stderr);
}

interface WorkerParts {
  readonly plugin: string;
  readonly env: WorkerOptions["env"];
  readonly child: WorkerProcess;
  readonly stream: BatchStream;
  /** The process is our own program, with a library in it. */
  readonly ofLibrary: boolean;
  /** What is left when the process is gone: the server, the folder. */
  readonly room: AsyncDisposableStack;
}

class WorkerCarrier implements Carrier {
  readonly #parts: WorkerParts;
  readonly #events: CarrierEvents;
  readonly #queue: FrameQueue;
  readonly #budget = new FrameBudget(() => this.#hear());
  /** What came and wasn't heard, each batch in its order. */
  #came: readonly Uint8Array[] = [];
  #heard = 0;
  /** From the plugin's Ready on. */
  #watch: SilenceWatch | undefined;
  /** Set by the first cause to end. */
  #ending: Promise<CloseReport> | undefined;

  constructor(parts: WorkerParts, events: CarrierEvents) {
    this.#parts = parts;
    this.#events = events;
    const { plugin, child, stream } = parts;
    this.#queue = new FrameQueue(stream, (what, limit) => this.#fail(pluginErrors.stalled(what, limit)));
    stream.listen({
      batch: (frames) => {
        this.#watch?.heard();
        this.#came = this.#came.length === 0 ? frames : this.#came.concat(frames);
        this.#hear();
      },
      unreadable: (cause) => this.#fail(workerErrors.broken(plugin, cause)),
      ended: () => this.#disconnected(),
    });
    void child.exited.then((exit) => this.#fail(endedWith(plugin, child, exit)));
  }

  send(frame: HostFrame): void {
    if (this.#ending !== undefined) return;
    this.#budget.asked();
    this.#queue.push(HostFrameCodec.encode(frame));
  }

  unready(afterMs: number): TroupeError {
    const { plugin, child } = this.#parts;
    return workerErrors.notReady(plugin, afterMs, child.stderr);
  }

  close(timeoutMs: number): Promise<CloseReport> {
    this.#ending ??= this.#end(undefined, timeoutMs);
    return this.#ending;
  }

  /** As much as a turn allows; nothing more is read of the stream until all is heard. */
  #hear(): void {
    const { stream, ofLibrary } = this.#parts;
    this.#budget.begin();
    for (; this.#ending === undefined; this.#heard += 1) {
      const bytes = this.#came[this.#heard];
      if (bytes === undefined) break;
      if (!this.#budget.take()) return void stream.pause();
      const frame = this.#decode(bytes);
      const failure = frame !== undefined && ofLibrary ? libraryFailure(frame) : undefined;
      if (frame?.body?.$case === "ready") this.#watch ??= this.#begin();
      if (failure !== undefined) this.#fail(failure);
      else if (frame !== undefined) this.#events.frame(frame);
    }
    this.#came = [];
    this.#heard = 0;
    stream.resume();
  }

  #decode(bytes: Uint8Array): ReturnType<typeof PluginFrameCodec.decode> | undefined {
    try {
      return PluginFrameCodec.decode(bytes);
    } catch (cause) {
      this.#fail(workerErrors.broken(this.#parts.plugin, cause));
      return undefined;
    }
  }

  #begin(): SilenceWatch {
    const { plugin, env, child } = this.#parts;
    return new SilenceWatch({
      env,
      terms: WATCHED,
      ask: () => this.#queue.push(PING),
      noted: (ms) => env.log.warn("The plugin's process says nothing: it may hang", { plugin, ms }),
      silent: (ms) => this.#fail(workerErrors.hung(plugin, ms, child.stderr)),
    });
  }

  /** The process may have crashed, and will say so in a moment. */
  #disconnected(): void {
    const { plugin, child } = this.#parts;
    void settledWithin(child.exited, EXIT_GRACE_MS).then((exit) => {
      if (exit === undefined) this.#fail(workerErrors.disconnected(plugin, child.stderr));
    });
  }

  #fail(error: TroupeError): void {
    this.#ending ??= this.#end(error, 0);
  }

  async #end(error: TroupeError | undefined, timeoutMs: number): Promise<CloseReport> {
    const { child, stream, room } = this.#parts;
    this.#watch?.stop();
    this.#queue.flush();
    this.#queue.close();
    stream.end();
    if (timeoutMs > 0) await settledWithin(child.exited, timeoutMs);
    child.kill();
    await child.exited;
    await room.disposeAsync();
    this.#events.ended(error);
    return { clean: true };
  }
}
