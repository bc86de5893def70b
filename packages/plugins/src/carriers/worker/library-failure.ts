/** What the program that holds a library says of it, when it can't be opened there. */
import type { TroupeError } from "@troupe/base";
import { fromCarriedError } from "@troupe/protocol/actor/v1";
import type { PluginFrame } from "@troupe/protocol/plugin/v1";

/** Codes of the native carrier's: they are the same in whichever process the library was to be opened. */
const codes: ReadonlySet<string> = new Set([
  "library_missing",
  "library_too_large",
  "integrity_mismatch",
  "not_a_library",
  "load_failed",
  "symbol_missing",
  "abi_mismatch",
  "foreign_abi",
  "open_failed",
  "no_descriptor",
]);

/** The failure of a library to load. Undefined: the frame is something else, or the library's own no. */
export function libraryFailure({ body }: PluginFrame): TroupeError | undefined {
  const said = body?.$case === "failed" ? body.value.error : undefined;
  if (said === undefined || said.group !== "plugin" || !codes.has(said.code)) return undefined;
  return fromCarriedError(said, "json");
}
