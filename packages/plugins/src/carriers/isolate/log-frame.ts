/**
 * A line for the host's log, as a frame of plugin/v1.
 */
import { LogLevel } from "@troupe/protocol/actor/v1";
import { PluginFrameCodec } from "@troupe/protocol/plugin/v1";

/** What such a frame begins with: field 6 of PluginFrame, with a length. */
const LOG_TAG = (6 << 3) | 2;

/** A line as a frame. */
export function logFrame(level: LogLevel, message: string): Uint8Array {
  const value = { line: { level, message } };
  return PluginFrameCodec.encode({ body: { $case: "log", value } }).finish();
}

/** Whether a frame begins as a line does. One that hides a line behind something else isn't found: it's a frame as any. */
export function isLogFrame(frame: Uint8Array): boolean {
  return frame[0] === LOG_TAG;
}

/** What is said of lines that were dropped. */
export function droppedFrame(lines: number): Uint8Array {
  return logFrame(LogLevel.WARN, `${lines} lines dropped: it logs too much`);
}
