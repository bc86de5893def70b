/**
 * A helper process: the SQL of one actor at a time, away from the runtime. A statement that doesn't end is ended with the
 * process, which is the only way to end one. It has an empty environment, one channel to the runtime, and a thread that
 * ends it when the runtime is gone, or it takes too much memory: a statement lets nothing else of the process run.
 */
import { Worker } from "node:worker_threads";
import { limits } from "@troupe/protocol";
import { workerUrl } from "../worker-url.ts";
import { HelperAnswers } from "./helper-answers.ts";
import type { HelperQuestion, HelperSaying } from "./helper-messages.ts";
import { ServedFile } from "./served-file.ts";

const answers = new HelperAnswers((question) => new ServedFile(question));

function say(saying: HelperSaying): void {
  process.send?.(saying);
}

// From here on it can't outlive its runtime: then it may be asked.
const guard = new Worker(workerUrl("guard-worker", import.meta.url), {
  execArgv: [],
  workerData: { memoryBytes: limits.sqlHelperMemoryMb * 1024 * 1024 },
});
guard.once("message", () => {
  process.on("message", (question: HelperQuestion) => say(answers.answer(question)));
  say({ kind: "ready" });
});
