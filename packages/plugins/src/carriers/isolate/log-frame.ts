/**
 * A line for the host's log, as a frame of plugin/v1.
 */
import type { LogLevel } from "@troupe/protocol/actor/v1";
import { encodePluginFrame } from "@troupe/protocol/plugin/v1";

/** A line as a frame. */
export function logFrame(level: LogLevel, message: string, fields?: string): Uint8Array {
  const value = { line: { level, message }, fields };
  return encodePluginFrame({ body: { $case: "log", value } });
}
