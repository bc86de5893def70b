/**
 * What can be wrong with a plugin in WebAssembly, by `plugin.code`. Files are for who runs the host: a remote caller gets
 * `internal.error` for those, and the log has this.
 */
import { TroupeError, type TroupeErrorOptions } from "@troupe/base";
import type { ThreadFault } from "./thread/fault.ts";

function error(code: string, message: string, options: TroupeErrorOptions = {}): TroupeError {
  return new TroupeError("plugin", code, message, { statusCode: 502, public: false, ...options });
}

/** Group `plugin`: the wasm carrier's. */
export const wasmErrors = {
  missing: (path: string, cause: unknown) =>
    error("wasm_missing", `The module ${path} can't be read`, { metadata: { path }, cause }),
  tooLarge: (path: string, bytes: number, limit: number) =>
    error("wasm_too_large", `The module ${path} has ${bytes} bytes; the limit is ${limit}`, {
      metadata: { path, bytes, limit },
    }),
  /** The text is the engine's. */
  notWasm: (cause: unknown) =>
    error("not_wasm", `It isn't a module of WebAssembly: ${textOf(cause)}`, { cause }),
  importRefused: (imported: string, kind: string, allowed: readonly string[]) =>
    error(
      "import_refused",
      `The module imports ${imported} (a ${kind}); a plugin may import the functions ${allowed.join(" and ")}, and nothing else`,
      { metadata: { import: imported, kind } },
    ),
  exportMissing: (names: readonly string[]) =>
    error("export_missing", `The module isn't a Troupe plugin: it doesn't export ${names.join(", ")}`, {
      metadata: { exports: names },
    }),
  /** Its memory, tables or types are more than a plugin may have. */
  declarationRefused: (why: string) => error("wasm_refused", `The module can't be a plugin: ${why}`),
  timeExceeded: (limitMs: number) =>
    error("time_exceeded", `The plugin ran longer than ${limitMs} ms without an end, and was ended`, {
      statusCode: 504,
      public: true,
      metadata: { limitMs },
    }),
  /** The plugin's thread said why it ended. */
  fault: ({ code, message }: ThreadFault) => error(code, message, { public: code !== "abi_mismatch" }),
  /** Without a word. */
  threadLost: (cause: unknown) =>
    error("thread_lost", `The plugin's thread ended: ${textOf(cause)}`, { public: true, cause }),
};

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
