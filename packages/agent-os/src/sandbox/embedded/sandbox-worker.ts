/**
 * SandboxWorker: the runtime's end of one worker, a process that runs operations of sandboxes, one at a time.
 *
 * A loop in a shell can't be interrupted from within, and what takes all memory takes its process with it: so each worker is a process, and
 * whoever wants an operation to end kills it. It has an empty environment and two sockets: one for messages, and the
 * lifeline, whose end ends it, and on which it tells what it uses. It is unreferenced but for the time of an operation, so that a
 * runtime with nothing else to do may end.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { assert, sourceArguments, TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { startedChild } from "@troupe/runtime/process";
import { processErrors, sandboxErrors } from "../../errors.ts";
import type { ImageChanges } from "../file-store.ts";
import type { SandboxNetwork } from "../network.ts";
import { inTurns } from "../turns.ts";
import type { EmbeddedBounds } from "./bounds.ts";
import { demote, giveWay } from "./give-way.ts";
import { LIFELINE_FD, LINE_FD, MEMORY_SIGNAL, USE_BYTES, type WorkerUse } from "./guard-messages.ts";
import { MessageLine } from "./message-line.ts";
import type {
  FetchAnswer,
  FetchQuestion,
  PathsPage,
  WorkerAnswer,
  WorkerData,
  WorkerRequest,
} from "./messages.ts";
import { workerUrl } from "./worker-url.ts";

const MIB = 1024 * 1024;
/** Each half of the heap's room for new objects has this share of what a worker may hold, and so much at most. Garbage counts, too. */
const NEW_SHARE = 1 / 16;
const NEW_MIB = 8;

interface Waiting {
  readonly network: SandboxNetwork | undefined;
  /** Fires when the operation is over. */
  readonly over: AbortController;
  readonly resolve: (answer: WorkerAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Which sandbox's files a worker has. */
export interface HeldImage {
  readonly sandbox: number;
  readonly version: number;
}

/** A worker for sandboxes. */
export class SandboxWorker {
  /** What it was sent last. */
  held: HeldImage | undefined;
  /** Told what it uses, now and then, while there is an operation. */
  onUse: ((use: WorkerUse) => void) | undefined;
  readonly #bounds: EmbeddedBounds;
  readonly #child: ChildProcess;
  readonly #sockets: readonly Socket[];
  readonly #line: MessageLine<
    WorkerRequest | FetchAnswer | PathsPage,
    WorkerAnswer | FetchQuestion | PathsPage
  >;
  readonly #closed = Promise.withResolvers<void>();
  readonly #lastWords: () => string;
  #waiting: Waiting | undefined;
  /** Of its next answer. */
  #pages: ImageChanges[number][] = [];
  #pageBytes = 0;
  #lost: unknown;
  #spent = false;
  #isDemoted = false;
  #mayDemote = true;

  /** Throws `sandbox.lost`, or `storage.too_many_open_files`, when the system has no room for it. */
  constructor(bounds: EmbeddedBounds) {
    this.#bounds = bounds;
    this.#child = start(bounds);
    if (this.#child.pid !== undefined) giveWay(this.#child.pid);
    const line = socketOf(this.#child, LINE_FD);
    const lifeline = socketOf(this.#child, LIFELINE_FD);
    const stderr = socketOf(this.#child, 2);
    this.#sockets = [line, lifeline, stderr];
    this.#line = new MessageLine(line, {
      heard: (said) => this.#heard(said),
      broken: (cause) => void this.end(workerLost(String(cause))),
      most: mostOf(bounds),
    });
    hearUse(lifeline, (use) => this.onUse?.(use));
    this.#lastWords = collect(stderr);
    this.#child.once("error", (cause) => this.#ended(String(cause)));
    this.#child.once("close", (code, signal) => this.#ended(signal ?? `exit ${code}`));
    this.#letGo();
  }

  /** True when it takes no more requests. */
  get lost(): boolean {
    return this.#lost !== undefined;
  }

  /** True when it should serve nobody else: it is demoted, or holds on to much memory. */
  get spent(): boolean {
    return this.#spent || this.#isDemoted;
  }

  /** What runs has had its share of the processor: it takes the time that nobody else wants, where the system has that. */
  demote(): void {
    if (!this.#mayDemote || this.#child.pid === undefined) return;
    this.#mayDemote = false;
    this.#isDemoted = true;
    demote(this.#child.pid, () => {
      this.#isDemoted = false;
    });
  }

  /** Sends a request; what it asks of the network meanwhile goes there. Rejects when the worker ends before it has answered. */
  request(request: WorkerRequest, network?: SandboxNetwork): Promise<WorkerAnswer> {
    assert(this.#waiting === undefined, "one operation at a time");
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    return new Promise((resolve, reject) => {
      this.#waiting = { network, over: new AbortController(), resolve, reject };
      this.#pages = [];
      this.#pageBytes = 0;
      this.#hold();
      this.#send(request).catch((cause: unknown) => this.end(workerLost(String(cause))));
    });
  }

  /** Ends it now; what runs in it rejects with `why`. Settles when it is gone. */
  async end(why: unknown): Promise<void> {
    this.#lose(why);
    this.#hold();
    // Without a number nothing was started.
    if (this.#child.pid !== undefined) this.#child.kill("SIGKILL");
    await this.#closed.promise;
  }

  async #send(request: WorkerRequest): Promise<void> {
    let last: ImageChanges = [];
    for await (const page of inTurns(request.image ?? [])) {
      if (last.length > 0) this.#line.send({ page: last });
      last = page;
    }
    this.#line.send({ ...request, image: request.image === undefined ? undefined : last });
  }

  #heard(said: WorkerAnswer | FetchQuestion | PathsPage): void {
    if ("fetch" in said) return void this.#fetch(said);
    if ("page" in said) return this.#turn(said.page);
    this.#spent = said.memoryBytes > this.#bounds.memoryBytes / 2;
    this.#take()?.resolve({ ...said, changes: [...this.#pages, ...said.changes] });
    this.#pages = [];
  }

  #turn(page: ImageChanges): void {
    this.#pageBytes += bytesOf(page);
    if (this.#pageBytes > mostOf(this.#bounds)) return void this.end(workerLost("its answer is too long"));
    this.#pages.push(...page);
  }

  async #fetch({ fetch: fetched, request }: FetchQuestion): Promise<void> {
    const waiting = this.#waiting;
    if (waiting?.network === undefined) return;
    const answer = await waiting.network.fetch(request, waiting.over.signal).then(
      (response): FetchAnswer => ({ fetched, response }),
      (cause: unknown): FetchAnswer => ({
        fetched,
        failure: cause instanceof Error ? cause.message : "failed",
      }),
    );
    if (this.#waiting === waiting) this.#line.send(answer);
  }

  #ended(how: string): void {
    const words = this.#lastWords();
    const isFull = how === MEMORY_SIGNAL || words.includes("heap out of memory");
    this.#lose(
      isFull
        ? processErrors.limitExceeded("memoryBytes")
        : workerLost([how, words].filter(Boolean).join(": ")),
    );
    for (const socket of this.#sockets) socket.destroy();
    this.#closed.resolve();
  }

  #lose(why: unknown): void {
    this.#lost ??= why;
    this.#take()?.reject(this.#lost);
  }

  #take(): Waiting | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.over.abort(sandboxErrors.cancelled());
    if (this.#lost === undefined) this.#letGo();
    return waiting;
  }

  #hold(): void {
    this.#child.ref();
    for (const socket of this.#sockets) socket.ref();
  }

  #letGo(): void {
    this.#child.unref();
    for (const socket of this.#sockets) socket.unref();
  }
}

/** The sandbox and its files are there. `why`: how its process ended, and what that said last. */
function workerLost(why: string): Error {
  return sandboxErrors.lost(why, "The process that it ran in ended, and nothing of it has happened");
}

/** All that an operation may change and print, and the paths. Bytes. */
function mostOf({ fileBytes }: EmbeddedBounds): number {
  return fileBytes + 2 * limits.processOutputBytes + limits.sandboxMessageBytes;
}

function bytesOf(page: ImageChanges): number {
  return page.reduce(
    (bytes, [path, entry]) => bytes + path.length + (entry.type === "file" ? entry.content.byteLength : 0),
    0,
  );
}

function start(bounds: EmbeddedBounds): ChildProcess {
  try {
    return startedChild(
      spawn(process.execPath, processArguments(bounds), {
        env: {},
        cwd: "/",
        stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
      }),
    );
  } catch (cause) {
    throw TroupeError.is(cause) ? cause : workerLost(String(cause));
  }
}

function processArguments({ memoryBytes, fileBytes }: EmbeddedBounds): string[] {
  const main = fileURLToPath(workerUrl("worker-main", import.meta.url));
  const mostMib = Math.ceil(memoryBytes / MIB);
  const data: WorkerData = {
    memoryBytes,
    fileBytes,
    outputBytes: limits.sandboxOutputBytes,
    processOutputBytes: limits.processOutputBytes,
    variableBytes: limits.sandboxVariableBytes,
    turnPaths: limits.sandboxTurnPaths,
    scriptMs: limits.sandboxExecMaxMs,
  };
  return [
    // The thread of `js-exec` looks at a part of Node that is new.
    "--disable-warning=ExperimentalWarning",
    // What the guard bounds is more than the heap, and is full first. The engine collects garbage in time for its own bound, and aborts at it.
    `--max-old-space-size=${mostMib}`,
    `--max-semi-space-size=${Math.max(1, Math.min(NEW_MIB, Math.floor(mostMib * NEW_SHARE)))}`,
    ...sourceArguments(main, process.env.NODE_COMPILE_CACHE),
    main,
    JSON.stringify(data),
  ];
}

function socketOf(child: ChildProcess, fd: number): Socket {
  const socket = child.stdio?.[fd];
  // A process that couldn't be started has none.
  return socket instanceof Socket ? socket : new Socket();
}

function hearUse(lifeline: Socket, heard: (use: WorkerUse) => void): void {
  let rest = Buffer.alloc(0);
  lifeline.on("error", () => undefined);
  lifeline.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (; rest.byteLength >= USE_BYTES; rest = rest.subarray(USE_BYTES))
      heard({ memoryBytes: rest.readDoubleLE(0), cpuSeconds: rest.readDoubleLE(8) });
  });
}

/** What the process says on its way out. */
function collect(stderr: Socket): () => string {
  let said = "";
  stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-limits.sandboxLastWordsBytes);
  });
  return () => said.trim();
}
