/**
 * What listeners and readers of a session get: one argument for each event.
 */
import type { RequestPermissionRequest, SessionUpdate } from "@agentclientprotocol/sdk";

/** The name under which the sandbox's own events are kept; no session may have it. */
export const VM_STREAM = "vm";

/** How a question to the listeners ended. */
export type PermissionOutcome =
  | { readonly outcome: "selected"; readonly optionId: string }
  | { readonly outcome: "cancelled"; readonly reason: "timed_out" | "cancelled" | "session_ended" };

/** What Troupe itself says in a session. ACP leaves names with an underscore to extensions. */
export type RuntimeUpdate =
  /** The agent asks, and waits for `respondPermission`. */
  | {
      readonly sessionUpdate: "_permission_request";
      readonly requestId: string;
      readonly toolCall: RequestPermissionRequest["toolCall"];
      readonly options: RequestPermissionRequest["options"];
    }
  | ({ readonly sessionUpdate: "_permission_response"; readonly requestId: string } & PermissionOutcome)
  /** The process ended while the agent was at a prompt: nobody knows how far it came. `promptId`: its idempotency key, if it had one. */
  | { readonly sessionUpdate: "_prompt_interrupted"; readonly promptId: string }
  /** The agent began anew, and was told the transcript: it can't load sessions, or it failed to. */
  | {
      readonly sessionUpdate: "_session_restarted";
      readonly reason: "unsupported" | "failed";
      readonly message?: string;
      /** Of what had been chosen of the session, what the agent has refused now: "mode", or an option's id. */
      readonly notSet?: readonly string[];
    };

const ofRuntime: Readonly<Record<RuntimeUpdate["sessionUpdate"], true>> = {
  _permission_request: true,
  _permission_response: true,
  _prompt_interrupted: true,
  _session_restarted: true,
};

/** True for the name of an update that Troupe alone makes: who reads one in a transcript relies on that. */
export function isOfRuntime(name: string): boolean {
  return Object.hasOwn(ofRuntime, name);
}

/** Anything that happens in a session. */
export type SessionEvent = SessionUpdate | RuntimeUpdate;

/** One event of a session. */
export interface SessionEntry {
  readonly sessionId: string;
  /**
   * The ACP update as the agent sent it, or one of Troupe's own. A prompt's blocks stand before its updates, as
   * `user_message_chunk`.
   */
  readonly event: SessionEvent;
  /** 1, 2, 3 … in each session, without a gap. Where there was a session of this name before, they go on behind its last. */
  readonly sequence: number;
}

/** An agent's question, for who answers questions and nothing else. */
export interface PermissionQuestion {
  readonly sessionId: string;
  /** For `respondPermission`. */
  readonly requestId: string;
  readonly toolCall: RequestPermissionRequest["toolCall"];
  readonly options: RequestPermissionRequest["options"];
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

/** A part of a session's history, oldest first. */
export interface HistoryPage {
  readonly events: readonly Entry[];
  readonly hasMoreBefore: boolean;
  readonly hasMoreAfter: boolean;
}

/** Which part of a session's history: the newest of it, the newest before a sequence, or the oldest behind one. */
export interface HistoryRange {
  /** Default: "main". */
  readonly sessionId?: string;
  readonly before?: number;
  readonly after?: number;
  /** At most so many. Default and most: 256. */
  readonly limit?: number;
}

/** Which part of a transcript. */
export interface EntryRange {
  readonly sessionId: string;
  /** Only events with a greater sequence. Default: 0, all of them. */
  readonly after?: number;
  /** At most so many. Default and most: 256. */
  readonly limit?: number;
}
