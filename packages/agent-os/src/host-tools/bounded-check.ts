/**
 * BoundedCheck: runs what may take any time, for what somebody else sent, with an end. It runs on the runtime's thread, where nothing else
 * runs meanwhile; V8 ends it from another thread, in the middle of a regular expression too.
 */
import { createContext, Script } from "node:vm";

const host: { run: (() => void) | undefined } = { run: undefined };
const context = createContext(host);
const script = new Script("run()");

/** The result, or undefined: it took longer than that. Throws what `check` throws. */
export function withinMs<R>(timeoutMs: number, check: () => R): { readonly result: R } | undefined {
  let done: { readonly result: R } | undefined;
  host.run = () => {
    done = { result: check() };
  };
  try {
    script.runInContext(context, { timeout: timeoutMs });
    return done;
  } catch (cause) {
    if (isTimeout(cause)) return undefined;
    throw cause;
  } finally {
    host.run = undefined;
  }
}

/** It is an error of the context, whose class isn't ours. */
function isTimeout(cause: unknown): boolean {
  return (
    typeof cause === "object" &&
    cause !== null &&
    "code" in cause &&
    cause.code === "ERR_SCRIPT_EXECUTION_TIMEOUT"
  );
}
