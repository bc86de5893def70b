/**
 * A worker: holds a copy of one sandbox's files at a time and does one operation after the other on it.
 *
 * It loads the shell when it starts, not when it is first asked, and is asked nothing before it has a guard, which ends it whatever it does.
 * It must import nothing that needs the package's own resolution, but for just-bash: that would take longer than all else.
 */
import { writeSync } from "node:fs";
import { Socket } from "node:net";
import { Worker } from "node:worker_threads";
import type { ImageChanges } from "../file-store.ts";
import { type GuardData, GuardState, LINE_FD } from "./guard-messages.ts";
import { lateHeaders, loadHeaders } from "./late-headers.ts";
import { MessageLine } from "./message-line.ts";
import type {
  FetchAnswer,
  FetchQuestion,
  PathsPage,
  WorkerAnswer,
  WorkerData,
  WorkerFailure,
  WorkerRequest,
} from "./messages.ts";
import { run } from "./operations.ts";
import { JustBashMissing, loadShell, type Shell, type ShellModule } from "./shell.ts";
import { WayOut } from "./way-out.ts";
import { workerUrl } from "./worker-url.ts";

/** An answer, but for what the worker holds when it is given. */
type Outcome = Omit<WorkerAnswer, "memoryBytes">;

/** The worker's one sandbox. */
interface Held {
  readonly sandbox: number;
  readonly shell: Shell;
}

async function answer(request: WorkerRequest, held: Held): Promise<Outcome> {
  let outcome: Pick<WorkerAnswer, "result" | "failure">;
  try {
    outcome = { result: await run(held.shell, request.operation) };
  } catch (cause) {
    outcome = { failure: failureOf(cause) };
  }
  return { holds: true, changes: await held.shell.takeChanges(), ...outcome };
}

function failureOf(cause: unknown): WorkerFailure {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof JustBashMissing) return { kind: "missing", code: "", message };
  // just-bash's file system says "ENOENT: no such file or directory, open '/x'", and has no `code`.
  const code = /^(E[A-Z]{2,})\b/.exec(message)?.[1];
  return code === undefined ? { kind: "other", code: "", message } : { kind: "file", code, message };
}

async function serve(data: WorkerData): Promise<void> {
  let asked = 0;
  const guard = new Guard(data);
  const loaded = loadWarm(data, () => asked > 0).then((module) => {
    guard.loaded();
    return module;
  });
  // Who asks for something hears of it.
  loaded.catch(() => undefined);
  let held: Held | undefined;
  const pages: ImageChanges[number][] = [];
  const open = async ({ sandbox, image = [], layers, network }: WorkerRequest): Promise<Held> => {
    const module = await loaded;
    if (network !== undefined) loadHeaders();
    const outside = network === undefined ? undefined : { variables: network, fetch: way.fetch };
    return { sandbox, shell: await module.open(image, layers, outside) };
  };
  const work = async (request: WorkerRequest): Promise<Outcome> => {
    try {
      if (request.image !== undefined || held?.sandbox !== request.sandbox) held = await open(request);
      return await answer(request, held);
    } catch (cause) {
      held = undefined;
      return { holds: false, changes: [], failure: failureOf(cause) };
    }
  };
  const serveOne = async (request: WorkerRequest): Promise<void> => {
    asked += 1;
    await guard.ready;
    guard.begin();
    const image = request.image === undefined ? undefined : [...pages.splice(0), ...request.image];
    const { changes, ...answered } = await work({ ...request, image });
    const last = changes.length - (changes.length % data.turnPaths);
    for (let from = 0; from < last; from += data.turnPaths)
      line.send({ page: changes.slice(from, from + data.turnPaths) });
    line.send({ ...answered, changes: changes.slice(last), memoryBytes: guard.end() });
    // Behind the answer: nobody waits for it, and should it fail the next one who opens a shell hears why.
    setImmediate(() => void loaded.then((module) => module.prepare()).catch(() => undefined));
  };
  const socket = new Socket({ fd: LINE_FD, readable: true, writable: true });
  socket.once("close", end);
  const hear = (said: WorkerRequest | FetchAnswer | PathsPage): void => {
    if ("page" in said) pages.push(...said.page);
    else if ("fetched" in said) way.answered(said);
    else void serveOne(said);
  };
  const line = new MessageLine<
    WorkerAnswer | FetchQuestion | PathsPage,
    WorkerRequest | FetchAnswer | PathsPage
  >(socket, {
    heard: hear,
    broken: (cause) => {
      throw cause;
    },
    // It is the runtime that speaks.
    most: Infinity,
  });
  const way = new WayOut((question) => line.send(question));
}

/** At once: an orderly end would wait for the guard, which waits for the runtime's. */
function end(): void {
  process.kill(process.pid, "SIGKILL");
}

/** Something is wrong with this process itself: the runtime, which hears of its end, is told what. */
function breakDown(cause: unknown): void {
  writeSync(2, cause instanceof Error ? (cause.stack ?? cause.message) : String(cause));
  end();
}

/** The thread that ends this process when nothing else can. */
class Guard {
  /** From here on the process can't outlive its runtime, and has a bound: it may work. */
  readonly ready: Promise<unknown>;
  readonly #state = new GuardState();
  readonly #thread: Worker;

  constructor({ memoryBytes }: WorkerData) {
    const workerData: GuardData = { state: this.#state.memory, memoryBytes };
    this.#thread = new Worker(workerUrl("worker-guard", import.meta.url), { workerData, execArgv: [] });
    this.ready = new Promise((resolve) => this.#thread.once("message", resolve));
  }

  /** What the process holds now it holds without any work. */
  loaded(): void {
    this.#state.emptyBytes = process.memoryUsage.rss();
  }

  begin(): void {
    if (this.#state.begin()) this.#thread.postMessage("look");
  }

  /** What the process holds more than without work. */
  end(): number {
    this.#state.end();
    return Math.max(0, process.memoryUsage.rss() - this.#state.emptyBytes);
  }
}

/**
 * The shell. Its first command takes longer than any other: when nobody waits it has run one, and the next sandbox's shell is there.
 */
async function loadWarm(data: WorkerData, isAwaited: () => boolean): Promise<ShellModule> {
  lateHeaders();
  const module = await loadShell(data);
  // Requests that came meanwhile are heard now.
  await new Promise((resolve) => setImmediate(resolve));
  if (isAwaited()) return module;
  const { bash } = await module.open([], undefined, undefined);
  await bash.exec("echo");
  await module.prepare();
  return module;
}

process.on("uncaughtException", breakDown);
await serve(JSON.parse(process.argv[2] ?? ""));
