export type {
  Entry,
  EntryPage,
  EntryRange,
  SessionConnection,
  SessionEntry,
  ShutdownReason,
  SubscribeOptions,
  VmEntry,
} from "@troupe/agent-os/client";
export { subscribe } from "@troupe/agent-os/client";
