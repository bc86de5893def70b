/**
 * A helper process: the SQL of one actor at a time, away from the runtime. A statement that doesn't end is ended with the
 * process, which is the only way to end one. It has an empty environment, one channel to the runtime, and a thread that
 * ends it when the runtime is gone, or it takes too much memory: a statement lets nothing else of the process run.
 */
import { Worker } from "node:worker_threads";
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { fileError } from "../files.ts";
import { workerUrl } from "../worker-url.ts";
import type { HelperAnswer, HelperError, HelperQuestion, HelperSaying } from "./helper-messages.ts";
import { ServedFile } from "./served-file.ts";
import { SyncFailed } from "./sync-failed.ts";

let served: ServedFile | undefined;

function file(): ServedFile {
  if (served === undefined) throw new Error("there is no file yet");
  return served;
}

function valueFor(question: HelperQuestion): unknown {
  switch (question.kind) {
    case "open":
      served = new ServedFile(question);
      return undefined;
    case "execute":
      return file().execute(question.sql, question.params, question.mayWrite);
    case "savepoint":
    case "release":
    case "rollback":
      return file()[question.kind](question.savepoint);
    case "load":
      return file().load();
    case "read":
      return file().read(question.keys);
    case "list":
      return file().list(question.range);
    case "commit":
      return file().commit(question.batch);
    case "abandon":
      return file().abandon();
    case "close": {
      const closing = file();
      served = undefined;
      return closing.close();
    }
  }
}

function answer(question: HelperQuestion): HelperAnswer {
  const kind = "answer";
  try {
    const value = valueFor(question);
    return { kind, pending: served?.pending ?? false, value };
  } catch (cause) {
    const pending = served?.pending ?? false;
    return { kind, pending, error: onItsWay(cause), final: cause instanceof SyncFailed };
  }
}

function onItsWay(cause: unknown): HelperError {
  const error = TroupeError.is(cause) ? cause : fileError("an actor's file", cause);
  const { group, code, message, metadata, retryable, statusCode } = error;
  return { group, code, message, metadata, retryable, public: error.public, statusCode };
}

function say(saying: HelperSaying): void {
  process.send?.(saying);
}

// From here on it can't outlive its runtime: then it may be asked.
const guard = new Worker(workerUrl("guard-worker", import.meta.url), {
  execArgv: [],
  workerData: { memoryBytes: limits.sqlHelperMemoryMb * 1024 * 1024 },
});
guard.once("message", () => {
  process.on("message", (question: HelperQuestion) => say(answer(question)));
  say({ kind: "ready" });
});
