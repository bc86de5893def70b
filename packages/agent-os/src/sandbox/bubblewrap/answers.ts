/** What a supervisor answers about files and processes, checked: whatever runs in the sandbox may have answered. */
import { limits } from "@troupe/protocol";
import { sandboxErrors } from "../../errors.ts";
import type { SandboxProcessInfo } from "../process.ts";
import type { DirectoryEntry, FileStat } from "../sandbox.ts";
import { type UnsavedPath, unsavedCodeOf } from "../unsaved.ts";

/** Throws `sandbox.lost` where it is none. */
export function checkStat(result: unknown): FileStat {
  const { type, size, mode, modifiedAt } = fields(result);
  if (isType(type) && isNumber(size) && isNumber(mode) && isNumber(modifiedAt))
    return { type, size, mode, modifiedAt };
  throw sandboxErrors.lost("it answered nonsense");
}

/** Throws `sandbox.lost` where they are none. */
export function checkEntries(result: unknown): DirectoryEntry[] {
  if (!Array.isArray(result)) throw sandboxErrors.lost("it answered nonsense");
  return result.map((entry: unknown) => {
    const { name, type } = fields(entry);
    if (typeof name === "string" && isType(type)) return { name, type };
    throw sandboxErrors.lost("it answered nonsense");
  });
}

/** Throws `sandbox.lost` where they are none. */
export function checkProcesses(result: unknown): SandboxProcessInfo[] {
  if (!Array.isArray(result)) throw sandboxErrors.lost("it answered nonsense");
  return result.map((process: unknown) => {
    const { pid, ppid, pgid, sid, command, args } = fields(process);
    const told = isNumber(pid) && isNumber(ppid) && isNumber(pgid) && isNumber(sid);
    if (
      told &&
      typeof command === "string" &&
      Array.isArray(args) &&
      args.every((arg) => typeof arg === "string")
    )
      return { pid, ppid, pgid, sid, command, args };
    throw sandboxErrors.lost("it answered nonsense");
  });
}

/** Throws `sandbox.lost` where it is none. */
export function checkUnsaved(result: unknown): UnsavedPath[] {
  if (!Array.isArray(result) || result.length > limits.sandboxUnsavedPaths)
    throw sandboxErrors.lost("it answered nonsense");
  return result.map((unsaved: unknown) => {
    const { path, code: said } = fields(unsaved);
    const code = unsavedCodeOf(said);
    if (typeof path === "string" && code !== undefined) return { path, code };
    throw sandboxErrors.lost("it answered nonsense");
  });
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function isType(value: unknown): value is FileStat["type"] {
  return value === "file" || value === "directory" || value === "symlink";
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
