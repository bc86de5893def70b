/** What a supervisor says, checked: whatever runs in the sandbox may say it in its place. */
import type { ImageEntry } from "../file-store.ts";
import type { FromSupervisor } from "./inside/messages.ts";

const limits = ["memoryBytes", "fileBytes", "files", "cpuSeconds", "tasks"];

/** A message of a supervisor. Throws where it is none. */
export function checkMessage(message: object): FromSupervisor {
  if (!isMessage(message)) throw new Error(`the supervisor said ${JSON.stringify(message).slice(0, 200)}`);
  return message;
}

function isMessage(message: object): message is FromSupervisor {
  const said = new Map<string, unknown>(Object.entries(message));
  const all = (check: (value: unknown) => boolean, ...names: string[]) =>
    names.every((name) => check(said.get(name)));
  switch (said.get("type")) {
    case "ready":
      return true;
    case "change":
      return all(isNumber, "id") && all(isPath, "path") && isObject(said.get("entry"));
    case "answer": {
      const failure = said.get("failure");
      return all(isNumber, "id") && (failure === undefined || isFailure(failure));
    }
    case "exit": {
      const [signal, limit, failure] = [said.get("signal"), said.get("limit"), said.get("failure")];
      const signalled = signal === null || isText(signal);
      const limited = limit === undefined || (isText(limit) && limits.includes(limit));
      return (
        all(isNumber, "process", "exitCode") &&
        signalled &&
        limited &&
        (failure === undefined || isFailure(failure))
      );
    }
    case "fetch":
      return all(isNumber, "id") && all(isText, "url", "method") && isTexts(said.get("headers"));
    case "tunnel":
      return all(isNumber, "id", "port") && all(isText, "host");
    case "use":
      return all(isNumber, "used") && limits.includes(String(said.get("limit")));
    default:
      return false;
  }
}

/** An entry of an image. Throws where it is none. */
export function checkEntry(entry: object, content: Uint8Array): ImageEntry {
  const said = new Map<string, unknown>(Object.entries(entry));
  const [type, mode, modifiedAt] = [said.get("type"), said.get("mode"), said.get("modifiedAt")];
  const [target, given] = [said.get("target"), said.get("given")];
  if (type === "removed" && typeof given === "boolean") return { type, given };
  if (type === "symlink" && isText(target)) return { type, target };
  if (isNumber(mode) && isNumber(modifiedAt)) {
    const head = { mode: mode & 0o7777, modifiedAt: Math.trunc(modifiedAt) };
    if (type === "directory") return { type, ...head };
    if (type === "file") return { type, content, ...head };
  }
  throw new Error("the supervisor told of a path that is nothing");
}

/** From the root, each part a name. */
function isPath(value: unknown): boolean {
  if (!isText(value) || !value.startsWith("/") || value.includes("\0")) return false;
  return value
    .slice(1)
    .split("/")
    .every((part) => part !== "" && part !== "." && part !== "..");
}

function isFailure(value: unknown): boolean {
  return (
    isObject(value) && "code" in value && isText(value.code) && "message" in value && isText(value.message)
  );
}

function isTexts(value: unknown): boolean {
  return isObject(value) && Object.values(value).every(isText);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
