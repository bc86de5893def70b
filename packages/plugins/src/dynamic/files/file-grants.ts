/** Folders of this machine that a program grants to a source, in the words of agentOS's mounts. */
import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import { dynamicErrors } from "../../carriers/isolate/errors.ts";

/** A folder, and everything below it. */
export interface FileGrant {
  /** Where the source finds it: "/data". */
  readonly path: string;
  /** The folder of this machine. */
  readonly hostPath: string;
  /** Default: "read-only". */
  readonly mode?: "read-only" | "read-write";
}

const names: readonly string[] = ["path", "hostPath", "mode"];

/** Throws `dynamic.bad_option`. */
export function readFileGrants(given: unknown): readonly FileGrant[] {
  if (!Array.isArray(given)) throw wrong("a list of { path, hostPath, mode }");
  if (given.length > 0 && !canBeGranted())
    throw wrong("left out here: folders can be granted on Linux, with /proc, and on macOS");
  const grants = given.map(readGrant);
  for (const [index, { path }] of grants.entries())
    if (grants.some((other, at) => at !== index && `${other.path}/`.startsWith(`${path}/`)))
      throw wrong(`a list of folders of which none is in another (see number ${index})`);
  return Object.freeze(grants);
}

function readGrant(given: unknown, index: number): FileGrant {
  const { path, hostPath, mode = "read-only" } = Object(given);
  const unknown = Object.keys(Object(given)).find((name) => !names.includes(name));
  if (unknown !== undefined) throw wrong(`a list of { path, hostPath, mode }; there is no "${unknown}"`);
  if (typeof path !== "string" || !isPlain(path))
    throw wrong(`a list with paths as "/data" (see number ${index})`);
  if (typeof hostPath !== "string" || !isAbsolute(hostPath) || hostPath.includes("\0"))
    throw wrong(`a list with absolute paths of folders as \`hostPath\` (see number ${index})`);
  if (mode !== "read-only" && mode !== "read-write")
    throw wrong(`a list with "read-only" or "read-write" as \`mode\` (see number ${index})`);
  return Object.freeze({ path, hostPath, mode });
}

/** Only where the system can be kept from following links. */
function canBeGranted(): boolean {
  return process.platform === "darwin" || (process.platform === "linux" && existsSync("/proc/self/fd"));
}

function isPlain(path: string): boolean {
  const parts = path.slice(1).split("/");
  return (
    path.startsWith("/") && !path.includes("\0") && parts.every((part) => !["", ".", ".."].includes(part))
  );
}

function wrong(expected: string): Error {
  return dynamicErrors.badOption(`\`files\` must be ${expected}`);
}
