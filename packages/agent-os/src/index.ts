export type {
  PermissionDecision,
  PermissionJudge,
  PermissionPolicy,
  PermissionRequest,
} from "./acp/permissions.ts";
export type { AgentOSDefinition } from "./agent-os.ts";
export { agentOS } from "./agent-os.ts";
export type { PromptContent } from "./arguments.ts";
export type { AgentCommand, AgentOSConfig } from "./config.ts";
export type {
  BootOptions,
  DirectoryEntry,
  ExecOptions,
  ExecResult,
  FileStat,
  Sandbox,
  SandboxDriver,
} from "./sandbox/sandbox.ts";
export type { Entry, EntryPage, EntryRange, SessionEntry, ShutdownReason, VmEntry } from "./session-entry.ts";
export type { PromptResult } from "./sessions/live-session.ts";
export type { SessionInfo, SessionOptions, SessionSummary } from "./sessions/sessions.ts";
