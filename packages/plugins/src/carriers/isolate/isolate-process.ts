/**
 * IsolateProcess: the runtime's end of the process that its isolates run in.
 *
 *   idle ──an isolate is needed──▶ running ──the process ends, or shows no sign of life──▶ idle, each isolate was told
 *                                     └── close() ──▶ closed
 *
 * One process for all dynamic actors of a runtime: spawned when the first is needed, and again after a crash. It has an
 * empty environment, no arguments of ours, and one socket. The optimizing compiler is off in it: loops that it compiles
 * may lack the check by which the engine is stopped at a limit. And nothing is compiled beside what runs: a function for which better
 * code is on its way looks at its limit once in a thousand million turns. What an isolate says in one turn of the runtime has a budget
 * (`process/outlet.ts`): a new half of it is given when the turn is over in which the first was read, and later to one that floods
 * (`heard-isolate.ts`).
 *
 * One that shows no sign of life is killed, and nobody waits for its end: what the kernel holds on to may take its time.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { type Env, RepeatedFailures, sourceArguments, type TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { isOutOfDescriptors, nodeBusyPoll, tooManyOpenFiles } from "@troupe/runtime/process";
import { packageErrors } from "../../errors.ts";
import { guardian } from "../processes/guardian.ts";
import { SilenceWatch } from "../silence-watch.ts";
import { dynamicErrors } from "./errors.ts";
import { HeardIsolate } from "./heard-isolate.ts";
import {
  type IsolateEnd,
  type IsolateOrder,
  jsonBody,
  textOf,
  WireKind,
  type WireMessage,
  WireReader,
  WireWriter,
} from "./wire.ts";

/** The actor that an isolate runs. */
export interface ActorOfIsolate {
  readonly actor: string;
  /** Default: it runs all of that name. */
  readonly actorId?: string;
}

/** Who listens to one isolate. */
export interface IsolateEar {
  /** Whose it is, for the log. */
  readonly actor: ActorOfIsolate;
  /** The source is loaded. */
  loaded(): void;
  /** Bytes that are used again when this has returned. */
  frame(frame: Uint8Array): void;
  /** Nothing of it is left, once and last; undefined: it was asked to end. */
  ended(error: TroupeError | undefined): void;
}

/** A running process. */
interface Running {
  readonly child: ChildProcess;
  readonly socket: Duplex;
  readonly writer: WireWriter;
  readonly watch: SilenceWatch;
}

/** What it needs of its runtime. */
export type IsolateProcessEnv = Pick<Env, "log" | "clock" | "timers">;

const FLAGS = ["--no-node-snapshot", "--no-opt", "--no-concurrent-recompilation"];
const WATCHED = {
  beatMs: limits.isolateBeatMs,
  startMs: limits.pluginOpenTimeoutMs,
  mostMs: limits.isolateSilentMs,
};
/** Named in one line of the log. */
const MOST_SUSPECTS = 16;
const ISOLATED_VM = "isolated-vm@7.0.1";

/** One runtime's process. */
export class IsolateProcess {
  readonly #env: IsolateProcessEnv;
  readonly #isolates = new Map<number, HeardIsolate>();
  #running: Running | undefined;
  /** Processes that aren't gone yet. */
  readonly #exits = new Set<Promise<void>>();
  readonly #poll = nodeBusyPoll();
  /** Who has ended the process, which is everybody's: who ran for long then. Nobody else can be told from those that only wait. */
  readonly #blamed: RepeatedFailures<undefined>;
  /** Isolates that have run for long. */
  #long: ReadonlySet<unknown> = new Set();
  #last = 0;
  #closed = false;

  constructor(env: IsolateProcessEnv) {
    this.#env = env;
    this.#blamed = new RepeatedFailures({
      clock: env.clock,
      firstMs: limits.failedStartWaitMs,
      longestMs: limits.failedStartLongestWaitMs,
      forgetMs: limits.pluginCrashWindowMs,
      most: limits.failedStarts,
    });
  }

  /** Makes an isolate; its number. Throws `package.missing`, `dynamic.closed`, `storage.too_many_open_files`, and `dynamic.process_lost` for whoever ended it again and again. */
  create(order: IsolateOrder, ear: IsolateEar): number {
    if (this.#closed) throw dynamicErrors.closed();
    const waiting = this.#blamed.waiting(idOf(ear.actor));
    if (waiting !== undefined) throw dynamicErrors.heldBack(waiting.waitMs);
    const { writer } = this.#start();
    this.#last += 1;
    const isolate = this.#last;
    this.#isolates.set(isolate, new HeardIsolate(ear, () => this.#giveMore(isolate)));
    writer.say(isolate, WireKind.create, jsonBody(order));
    return isolate;
  }

  /** Does nothing for an isolate that has ended. */
  send(isolate: number, frame: Uint8Array): void {
    const heard = this.#isolates.get(isolate);
    if (heard === undefined || this.#running === undefined) return;
    const { writer } = this.#running;
    heard.asked();
    // The first of a turn says for all of them that their answers are waited for.
    const isFirst = writer.bytes === 0;
    const kind = isFirst && this.#poll.lookMs > 0 ? WireKind.frameOfMore : WireKind.frame;
    writer.say(isolate, kind, frame);
    if (isFirst) this.#poll.expect();
  }

  /** `ended` follows. */
  dispose(isolate: number): void {
    if (this.#isolates.has(isolate)) this.#running?.writer.say(isolate, WireKind.dispose);
  }

  /** Settles when the process is gone. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#running?.child.kill("SIGKILL");
    await Promise.all(this.#exits);
  }

  #start(): Running {
    if (this.#running !== undefined) return this.#running;
    const { child, ended } = guardian.guard({
      start: spawnProcess(processArguments()),
      log: this.#env.log,
    });
    const socket = child.stdio[3];
    if (!(socket instanceof Duplex)) throw new RangeError("A pipe is a duplex stream");
    const writer = new WireWriter((bytes) => void socket.write(bytes));
    const running = { child, socket, writer, watch: this.#watch(child, writer) };
    this.#running = running;
    const lastWords = collect(child);
    const exit = new Promise<void>((resolve) => {
      const gone = (why: string): void => {
        this.#gone(running, [why, lastWords()].filter(Boolean).join(": "));
        resolve(ended());
      };
      child.once("close", (code, signal) => gone(`exit ${signal ?? code}`));
      child.once("error", (cause) => gone(String(cause)));
    });
    this.#exits.add(exit);
    void exit.then(() => this.#exits.delete(exit));
    this.#listen(running);
    return running;
  }

  #watch(child: ChildProcess, writer: WireWriter): SilenceWatch {
    return new SilenceWatch({
      env: this.#env,
      terms: WATCHED,
      ask: () => writer.say(0, WireKind.beat),
      silent: (ms) => {
        child.kill("SIGKILL");
        if (this.#running?.child === child) this.#gone(this.#running, `no sign of life for ${ms} ms`);
      },
    });
  }

  #listen({ socket, child, watch }: Running): void {
    const reader = new WireReader();
    // Its end is told by the process's.
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      watch.heard();
      try {
        for (const message of reader.read(chunk)) this.#heard(message);
      } catch (cause) {
        this.#env.log.error("The isolate process said something that can't be read; it is ended", { cause });
        child.kill("SIGKILL");
      }
    });
  }

  /** Throws when it can't be read. */
  #heard({ isolate, kind, body }: WireMessage): void {
    if (kind === WireKind.long) this.#long = new Set(readNumbers(body));
    const heard = this.#isolates.get(isolate);
    if (heard === undefined) return;
    this.#poll.arrived();
    const end =
      kind === WireKind.ended && body.byteLength > 0 ? dynamicErrors.ended(readEnd(body)) : undefined;
    try {
      if (kind === WireKind.frame) heard.frame(body);
      else if (kind === WireKind.loaded) heard.loaded();
      else if (kind === WireKind.spent) heard.spent();
      else if (kind === WireKind.ended) {
        this.#isolates.delete(isolate);
        heard.ear.ended(end);
      }
    } catch (cause) {
      // A fault of the runtime's own: no other isolate's.
      this.#env.log.error("What listens to an isolate failed; the isolate is ended", {
        cause,
        ...heard.ear.actor,
      });
      this.dispose(isolate);
    }
  }

  #giveMore(isolate: number): void {
    if (this.#isolates.has(isolate)) this.#running?.writer.say(isolate, WireKind.more);
  }

  #gone(running: Running, why: string): void {
    running.watch.stop();
    running.socket.destroy();
    if (this.#running !== running) return;
    this.#running = undefined;
    const lost = [...this.#isolates.values()];
    if (!this.#closed) this.#lost(why);
    this.#isolates.clear();
    this.#long = new Set();
    const error = this.#closed ? dynamicErrors.closed() : dynamicErrors.processLost();
    for (const { ear } of lost) ear.ended(error);
  }

  /** With whose doing it may be: who ran for long, which counts, or else who hadn't answered. */
  #lost(why: string): void {
    const ran = [...this.#isolates].filter(([isolate]) => this.#long.has(isolate));
    const owed = [...this.#isolates].filter(([, heard]) => heard.owes);
    for (const [, { ear }] of ran) this.#blamed.add(idOf(ear.actor), undefined);
    const suspects = (ran.length > 0 ? ran : owed).slice(0, MOST_SUSPECTS).map(([, { ear }]) => ear.actor);
    this.#env.log.error("The isolate process ended", { why, isolates: this.#isolates.size, suspects });
  }
}

function idOf({ actor, actorId }: ActorOfIsolate): string {
  return actorId ?? actor;
}

function spawnProcess(args: readonly string[]): () => ChildProcess {
  return () =>
    spawn(process.execPath, args, {
      env: {},
      cwd: "/",
      // A group of its own: Ctrl-C is the runtime's, which lets what runs end.
      detached: true,
      stdio: ["ignore", "ignore", "pipe", "pipe"],
    });
}

/** Throws `package.missing`, `storage.too_many_open_files`. */
function processArguments(): string[] {
  const { resolve } = createRequire(import.meta.url);
  try {
    resolve("isolated-vm");
  } catch (cause) {
    // Node takes what it can't open for what isn't there.
    if (isOutOfDescriptors()) throw tooManyOpenFiles(cause);
    throw packageErrors.missing(ISOLATED_VM, "A dynamic actor", cause);
  }
  const source = new URL(import.meta.url).pathname.endsWith(".ts");
  const main = fileURLToPath(new URL(`./process/main.${source ? "ts" : "js"}`, import.meta.url));
  return [...FLAGS, ...sourceArguments(main, process.env.NODE_COMPILE_CACHE), main];
}

/** What the process says on its way out. */
function collect(child: ChildProcess): () => string {
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-limits.isolateLastWordsBytes);
  });
  return () => said.trim();
}

const codes: ReadonlySet<unknown> = new Set<IsolateEnd["code"]>([
  "syntax_error",
  "load_failed",
  "import_refused",
  "no_definition",
  "time_exceeded",
  "memory_exceeded",
  "too_many_timers",
  "nonsense",
  "too_much_waits",
  "failed",
]);

/** Throws when it isn't one. */
function readEnd(body: Uint8Array): IsolateEnd {
  const end: unknown = JSON.parse(textOf(body));
  if (!isEnd(end)) throw new RangeError("It names an end that nobody knows");
  const cut = (text: string): string => text.slice(0, limits.errorMessageLength);
  const { thrown } = end;
  return { ...end, message: cut(end.message), ...(typeof thrown === "string" && { thrown: cut(thrown) }) };
}

/** Throws when it isn't a list. */
function readNumbers(body: Uint8Array): readonly unknown[] {
  const numbers: unknown = JSON.parse(textOf(body));
  if (!Array.isArray(numbers)) throw new RangeError("It names who runs long as nobody does");
  return numbers;
}

function isEnd(value: unknown): value is IsolateEnd {
  if (typeof value !== "object" || value === null) return false;
  return "code" in value && codes.has(value.code) && "message" in value && typeof value.message === "string";
}
