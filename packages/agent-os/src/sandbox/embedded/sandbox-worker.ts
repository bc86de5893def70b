/**
 * A sandbox thread: holds a copy of one sandbox's files at a time and does one operation after the other on it.
 *
 * It loads the shell when it starts, not when it is first asked. It is started by URL and must import nothing that needs the package's own
 * resolution, but for just-bash.
 */
import { isMainThread, type MessagePort, parentPort, workerData } from "node:worker_threads";
import { giveWay, kernelThread } from "./give-way.ts";
import { tellInnerTime } from "./inner-threads.ts";
import { lateHeaders, loadHeaders } from "./late-headers.ts";
import type {
  FetchAnswer,
  InnerTime,
  ThreadAnswer,
  ThreadData,
  ThreadFailure,
  ThreadIdentity,
  ThreadRequest,
} from "./messages.ts";
import { run } from "./operations.ts";
import { JustBashMissing, loadShell, type Shell, type ShellModule } from "./shell.ts";
import { WayOut } from "./way-out.ts";

/** The thread's one sandbox. */
interface Held {
  readonly sandbox: number;
  readonly shell: Shell;
}

async function answer(request: ThreadRequest, held: Held): Promise<ThreadAnswer> {
  let outcome: Pick<ThreadAnswer, "result" | "failure">;
  try {
    outcome = { result: await run(held.shell, request.operation) };
  } catch (cause) {
    outcome = { failure: failureOf(cause) };
  }
  return { holds: true, changes: await held.shell.takeChanges(), ...outcome };
}

function failureOf(cause: unknown): ThreadFailure {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof JustBashMissing) return { kind: "missing", code: "", message };
  // just-bash's file system says "ENOENT: no such file or directory, open '/x'", and has no `code`.
  const code = /^(E[A-Z]{2,})\b/.exec(message)?.[1];
  return code === undefined ? { kind: "other", code: "", message } : { kind: "file", code, message };
}

async function serve(port: MessagePort, data: ThreadData): Promise<void> {
  let asked = 0;
  const thread = kernelThread();
  if (thread !== undefined) port.postMessage({ kernelThread: thread } satisfies ThreadIdentity);
  if (data.tellsInnerTime)
    tellInnerTime((innerSeconds) => port.postMessage({ innerSeconds } satisfies InnerTime));
  const loaded = loadWarm(data, () => asked > 0);
  // Who asks for something hears of it.
  loaded.catch(() => undefined);
  let held: Held | undefined;
  const way = new WayOut(port);
  const open = async ({ sandbox, image = [], layers, network }: ThreadRequest): Promise<Held> => {
    const module = await loaded;
    if (network !== undefined) loadHeaders();
    const outside = network === undefined ? undefined : { variables: network, fetch: way.fetch };
    return { sandbox, shell: await module.open(image, layers, outside) };
  };
  port.on("message", (request: ThreadRequest | FetchAnswer) => {
    if ("fetched" in request) return way.answered(request);
    asked += 1;
    void (async () => {
      try {
        if (request.image !== undefined || held?.sandbox !== request.sandbox) held = await open(request);
        port.postMessage(await answer(request, held));
        // Behind the answer: nobody waits for it, and should it fail the next one who opens a shell hears why.
        setImmediate(() => void loaded.then((module) => module.prepare()).catch(() => undefined));
      } catch (cause) {
        held = undefined;
        port.postMessage({ holds: false, changes: [], failure: failureOf(cause) } satisfies ThreadAnswer);
      }
    })();
  });
}

/**
 * The shell. Its first command takes longer than any other: when nobody waits it has run one, and the next sandbox's shell is there.
 */
async function loadWarm(data: ThreadData, isAwaited: () => boolean): Promise<ShellModule> {
  lateHeaders();
  const module = await loadShell(data);
  giveWay();
  // Requests that came meanwhile are heard now.
  await new Promise((resolve) => setImmediate(resolve));
  if (isAwaited()) return module;
  const { bash } = await module.open([], undefined, undefined);
  await bash.exec("echo");
  await module.prepare();
  return module;
}

if (!isMainThread && parentPort !== null) await serve(parentPort, workerData);
