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
