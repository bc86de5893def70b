/** Fault: why a plugin's thread ended, as it tells the host. */

/** Why a thread ended. */
export interface ThreadFault {
  readonly code: "trapped" | "broken" | "abi_mismatch" | "open_failed" | "no_memory" | "violation";
  readonly message: string;
}

/** Ends the thread. */
export class Fault extends Error {
  readonly code: ThreadFault["code"];

  constructor(code: ThreadFault["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** What the engine throws is a trap, or the stack's or the memory's end: the plugin's own doing. */
export function faultOf(thrown: unknown): ThreadFault {
  if (thrown instanceof Fault) return { code: thrown.code, message: thrown.message };
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: "trapped", message: `The plugin trapped: ${text}` };
}
