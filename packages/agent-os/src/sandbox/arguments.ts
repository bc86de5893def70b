/** What callers send to a sandbox, checked: it crosses a wire, so that its types are only a hope. */
import { nearest } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { sandboxErrors } from "../errors.ts";
import { HOME } from "./home.ts";
import type { ExecOptions } from "./sandbox.ts";

const execNames: readonly (keyof ExecOptions)[] = ["cwd", "env", "stdin", "timeoutMs"];

/** A text: a command, a path. Throws `sandbox.invalid_argument`. */
export function checkText(name: string, value: string): void {
  if (typeof value !== "string") throw sandboxErrors.invalidArgument(name, "a text");
}

/** A path as a command in the sandbox would take it: a relative one begins where commands start. Throws `sandbox.invalid_argument`. */
export function placeOf(name: string, path: string): string {
  checkText(name, path);
  return path.startsWith("/") ? path : `${HOME}/${path}`;
}

/** What a file shall hold: text as UTF-8, or bytes. Throws `sandbox.invalid_argument`. */
export function bytesOf(content: string | Uint8Array): Uint8Array {
  if (typeof content === "string") return new TextEncoder().encode(content);
  if (content instanceof Uint8Array) return content;
  throw sandboxErrors.invalidArgument("content", "a text or bytes");
}

/** Options of an action, by their names. Throws `sandbox.invalid_argument`, `sandbox.unknown_option`. */
export function checkOptions(action: string, options: object, names: readonly string[]): void {
  if (typeof options !== "object" || options === null)
    throw sandboxErrors.invalidArgument("options", "an object");
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue;
    const meant = nearest(name.slice(0, limits.memberNameLength), names);
    throw sandboxErrors.unknownOption(action, name, meant);
  }
}

/** How a command may run. Throws `sandbox.invalid_argument`, `sandbox.unknown_option`. */
export function execOptions(options: ExecOptions | undefined): ExecOptions {
  if (options === undefined) return {};
  checkOptions("exec", options, execNames);
  const { cwd, env, stdin } = options;
  for (const [name, value] of Object.entries({ cwd, stdin, ...asVariables(env) }))
    if (value !== undefined) checkText(name, value);
  return options;
}

/** Names that say where an error is. */
export function asVariables(env: ExecOptions["env"], where = "env"): Record<string, string> {
  if (env === undefined) return {};
  if (typeof env !== "object" || env === null) throw sandboxErrors.invalidArgument(where, "an object");
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [`${where}.${name}`, value]));
}
