/**
 * StartedChild: what `spawn` gave, or a typed error where this process has no descriptor left for it.
 *
 * Without one Node gives a child that has no streams, and tells `error` a tick later: who looks at the streams throws, and the event, which
 * nobody listens for then, ends the program. Any other reason is told as Node tells it, by `error` alone.
 */
import type { ChildProcess } from "node:child_process";
import { tooManyOpenFiles } from "./descriptors.ts";

/** The child, with the streams that were asked for. In the turn of its `spawn`. Throws `storage.too_many_open_files`. */
export function startedChild<Child extends ChildProcess>(child: Child): Child {
  if ("stdio" in child) return child;
  // It says what is thrown here.
  const failed: ChildProcess = child;
  failed.once("error", () => {});
  throw tooManyOpenFiles(new Error("A process can't be started: EMFILE or ENFILE"));
}
