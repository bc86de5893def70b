/**
 * The guardian's process: it reads the list of what it guards, a line of JSON each time that it changes, until its host is gone. Whoever
 * minds the host's end gets a moment to end by itself; then all of them are ended. It imports little before it listens, as it starts
 * beside every host that has a worker.
 */
import { Socket } from "node:net";
import { createInterface } from "node:readline";
import { leaveSignalsToHost } from "../../worker/host-ends-it.ts";
import type { Charge } from "./guardian.ts";
import { startOf } from "./proc.ts";
import { ProcessTree } from "./process-tree.ts";
import { Strays } from "./strays.ts";

const waitMs = Number(process.argv[2]);
let charges: readonly Charge[] = [];

leaveSignalsToHost();
const host = new Socket({ fd: 0, readable: true, writable: false });
host.on("error", () => {}).on("close", () => setTimeout(() => charges.forEach(end), waitMs));
createInterface({ input: host }).on("line", (line) => {
  charges = listOf(line) ?? charges;
});

// A host looks after a guardian that was stopped, while it lives; behind it there is nobody but the kernel.
if (process.platform === "linux")
  import("../native/ffi.ts").then(({ goOnBehindParent }) => goOnBehindParent()).catch(() => {});

/** Undefined: its host was ended while it wrote. */
function listOf(line: string): readonly Charge[] | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function end({ pid, started, id }: Charge): void {
  const now = pid === undefined ? undefined : startOf(pid);
  // Its number may be another's by now; while a process of its group lives, nobody else gets it.
  const isOther = now !== undefined && now !== started;
  const strays = id === undefined ? undefined : new Strays(id, []);
  new ProcessTree(isOther ? undefined : pid, strays).kill();
  if (pid === undefined || isOther) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nothing of the group is left.
  }
}
