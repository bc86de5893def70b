/**
 * How deep code in an isolate may call: as deep on the process's own thread as on any other, so that nothing depends on where an
 * isolate is entered. The others' stacks are as large as the system lets a process's stack grow; the engine has less of the
 * first one's by itself.
 */
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";

/** What the thread itself and the engine's own code need of a stack, KiB. */
const RESERVED_KB = 256;
/** What other threads have when the system says that there is no limit. */
const UNLIMITED_KB = 2_048;

/** Before the first isolate is made. Where the system doesn't say (Linux does), the engine keeps to its own. */
export function levelStacks(): void {
  const [, bytes] = /^Max stack size\s+(\S+)/m.exec(systemLimits()) ?? [];
  if (bytes === undefined) return;
  const kilobytes = bytes === "unlimited" ? UNLIMITED_KB : Math.floor(Number(bytes) / 1024);
  if (kilobytes > 2 * RESERVED_KB) setFlagsFromString(`--stack-size=${kilobytes - RESERVED_KB}`);
}

function systemLimits(): string {
  try {
    return readFileSync("/proc/self/limits", "utf8");
  } catch {
    return "";
  }
}
