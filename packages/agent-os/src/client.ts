export type { SessionConnection, SubscribeOptions } from "./client/session-tail.ts";
export { subscribe } from "./client/session-tail.ts";
export type { Entry, EntryPage, EntryRange, SessionEntry, ShutdownReason, VmEntry } from "./session-entry.ts";
