/** What callers send about snapshots, checked. */
import { limits } from "@troupe/protocol";
import { sandboxErrors } from "../errors.ts";
import { checkOptions, checkText } from "./arguments.ts";

/** Options of `createSnapshot`. */
export interface SnapshotOptions {
  /** What it is called, for people. Default: "". */
  readonly name?: string;
}

/** Which snapshot of which workspace is forked. */
export interface ForkOptions {
  /** The key of the workspace that has it. */
  readonly from: string | readonly string[];
  readonly snapshotId: string;
  /** What that workspace's `onBeforeConnect` is given. */
  readonly params?: unknown;
}

/** The name of a new snapshot. Throws `sandbox.invalid_argument`, `sandbox.unknown_option`. */
export function checkSnapshot(options: SnapshotOptions = {}): string {
  checkOptions("createSnapshot", options, ["name"]);
  const { name = "" } = options;
  checkText("name", name);
  const most = limits.sandboxSnapshotNameLength;
  if (name.length > most) throw sandboxErrors.invalidArgument("name", `at most ${most} characters`);
  return name;
}

/** Throws `sandbox.invalid_argument`, `sandbox.unknown_option`. */
export function checkFork(options: ForkOptions): ForkOptions {
  checkOptions("forkSnapshot", options, ["from", "snapshotId", "params"]);
  const { from, snapshotId } = options;
  if (typeof from !== "string" && !(Array.isArray(from) && from.every((part) => typeof part === "string")))
    throw sandboxErrors.invalidArgument("from", "a workspace's key");
  checkText("snapshotId", snapshotId);
  return options;
}
