/**
 * What can be wrong with a native library, by `plugin.code`. Files and the linker's words are for who runs the host: a
 * remote caller gets `internal.error`, and the log has this.
 */
import { TroupeError, type TroupeErrorOptions } from "@troupe/base";

function error(code: string, message: string, options: TroupeErrorOptions = {}): TroupeError {
  return new TroupeError("plugin", code, message, { statusCode: 502, public: false, ...options });
}

/** Group `plugin`: the native carrier's. */
export const nativeErrors = {
  libraryMissing: (path: string, cause: unknown) =>
    error("library_missing", `The library ${path} can't be read`, { metadata: { path }, cause }),
  notALibrary: (path: string, why: string) =>
    error("not_a_library", `${path} isn't a shared library of ${process.platform}: ${why}`, {
      metadata: { path, why },
    }),
  libraryTooLarge: (path: string, bytes: number, limit: number) =>
    error("library_too_large", `${path} has ${bytes} bytes; the limit is ${limit}`, {
      metadata: { path, bytes, limit },
    }),
  integrityMismatch: (path: string, digests: { expected: string; found: string }) =>
    error("integrity_mismatch", `${path} has the SHA-256 ${digests.found}, not ${digests.expected}`, {
      metadata: { path, ...digests },
    }),
  /** `pluginActor` was given something that it can't use. */
  badOption: (why: string) => error("bad_option", `pluginActor: ${why}`, { statusCode: 400, public: true }),
  /** The text is the dynamic linker's. */
  loadFailed: (text: string, cause: unknown) =>
    error("load_failed", `The library can't be loaded: ${text}`, { metadata: { text }, cause }),
  symbolMissing: (symbols: readonly string[]) =>
    error("symbol_missing", `The library isn't a Troupe plugin: it lacks ${symbols.join(", ")}`, {
      metadata: { symbols },
    }),
  /** Another host's library. */
  foreignAbi: (host: string, page: string, cause: unknown) =>
    error(
      "foreign_abi",
      `The library is a plugin of ${host}, whose ABI isn't ours: ${page} says how to move it`,
      {
        metadata: { host, page },
        cause,
      },
    ),
  abiMismatch: (found: number, wanted: number) =>
    error(
      "abi_mismatch",
      `The library speaks version ${versionText(found)} of the plugin ABI; this host speaks ${versionText(wanted)}`,
      { metadata: { found: versionText(found), wanted: versionText(wanted) } },
    ),
  openFailed: (status: number) =>
    error("open_failed", `troupe_plugin_open gave ${status}`, { metadata: { status } }),
  noDescriptor: (errno: number) =>
    error("no_descriptor", `No pipe for the plugin's wake signal (errno ${errno})`, {
      statusCode: 503,
      retryable: true,
      metadata: { errno },
    }),
  /** The plugin said that it can't go on: only close may follow. */
  broken: (what: "push" | "pull", status: number) =>
    error("broken", `troupe_plugin_${what} gave ${status}: the plugin can't go on`, {
      public: true,
      metadata: { what, status },
    }),
};

function versionText(abi: number): string {
  return `${abi >>> 16}.${abi & 0xffff}`;
}
