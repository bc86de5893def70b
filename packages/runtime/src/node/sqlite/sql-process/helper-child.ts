/** SpawnedHelper: a helper process as Node starts it. What it runs is `helper-main.ts`. */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { sourceArguments } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { startedChild } from "../../started-child.ts";
import { workerUrl } from "../worker-url.ts";
import { type HelperQuestion, type HelperSaying, LIFELINE_FD, MEMORY_SIGNAL } from "./helper-messages.ts";
import { type HelperChild, type HelperEar, HelperLost } from "./helper-process.ts";

/** Starts one. Throws `storage.too_many_open_files`. */
export function spawnHelper(ear: HelperEar): HelperChild {
  return new SpawnedHelper(ear);
}

class SpawnedHelper implements HelperChild {
  readonly #child: ChildProcess;

  constructor(ear: HelperEar) {
    const options: SpawnOptions = {
      env: {},
      cwd: "/",
      stdio: ["ignore", "ignore", "ignore", "pipe", "ipc"],
      serialization: "advanced",
    };
    this.#child = startedChild(spawn(process.execPath, processArguments(), options));
    this.#child.on("message", (saying: HelperSaying) => ear.said(saying));
    this.#child.once("exit", (code, signal) => ear.ended(lossOf(code, signal)));
    this.#child.once("error", (cause) => ear.ended(new HelperLost("ended", String(cause))));
  }

  send(question: HelperQuestion): void {
    // What can't be sent is told by the process's end.
    this.#child.send(question, () => {});
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  awaitEnd(): void {
    this.#child.ref();
  }

  hold(): void {
    this.#child.ref();
    this.#child.channel?.ref();
  }

  letGo(): void {
    this.#child.unref();
    this.#child.channel?.unref();
    const lifeline = this.#child.stdio[LIFELINE_FD];
    if (lifeline instanceof Socket) lifeline.unref();
  }
}

function lossOf(code: number | null, signal: NodeJS.Signals | null): HelperLost {
  if (signal === MEMORY_SIGNAL) return new HelperLost("memory", `more than ${limits.sqlHelperMemoryMb} MiB`);
  return new HelperLost("ended", `exit ${signal ?? code}`);
}

function processArguments(): string[] {
  const main = fileURLToPath(workerUrl("helper-main", import.meta.url));
  return [...sourceArguments(main, process.env.NODE_COMPILE_CACHE), main];
}
