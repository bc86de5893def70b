/**
 * What listeners and readers of a session get: one argument for each event.
 */
import type { SessionUpdate } from "@agentclientprotocol/sdk";

/** The name under which the sandbox's own events are kept; no session may have it. */
export const VM_STREAM = "vm";

/** One event of a session. */
export interface SessionEntry {
  readonly sessionId: string;
  /** The ACP update as the agent sent it. A prompt's blocks stand before its updates, as `user_message_chunk`. */
  readonly event: SessionUpdate;
  /** 1, 2, 3 … in each session, without a gap. */
  readonly sequence: number;
}

/** Why a sandbox was shut down. */
export type ShutdownReason = "sleep" | "destroy" | "error";

/** One event of the sandbox. */
export interface VmEntry {
  readonly sessionId: typeof VM_STREAM;
  readonly event:
    | { readonly type: "vm_booted"; readonly driver: string }
    | { readonly type: "vm_shutdown"; readonly reason: ShutdownReason };
  /** 1, 2, 3 … over the actor's whole life. */
  readonly sequence: number;
}

/** Anything that a transcript keeps. */
export type Entry = SessionEntry | VmEntry;

/** A part of a transcript, oldest first. */
export interface EntryPage {
  readonly events: readonly Entry[];
  /** True when there are more behind the last one. */
  readonly hasMore: boolean;
}

/** Which part of a transcript. */
export interface EntryRange {
  readonly sessionId: string;
  /** Only events with a greater sequence. Default: 0, all of them. */
  readonly after?: number;
  /** At most so many. Default and most: 256. */
  readonly limit?: number;
}
