export type {
  AllowedTarget,
  Credential,
  NetworkConfig,
  NetworkRequest,
  NetworkResponse,
} from "@troupe/runtime/egress";
export type {
  NamedPolicy,
  PermissionDecision,
  PermissionJudge,
  PermissionPolicy,
  PermissionRequest,
} from "./acp/permissions.ts";
export type { SessionConfig } from "./acp/session-choices.ts";
export type { AgentCommand } from "./agent-command.ts";
export type { AgentOSContext, AgentOSDefinition, AgentOSOptions, CustomActions } from "./agent-os.ts";
export { agentOS } from "./agent-os.ts";
export type { PromptContent } from "./arguments.ts";
export type { AgentOSConfig } from "./config.ts";
export type { CronAction, CronJobOptions } from "./cron/arguments.ts";
export type { CronEvent, CronJobSummary } from "./cron/cron-jobs.ts";
export type { AgentOSHooks, HookContext } from "./hooks.ts";
export type { HostTool, HostToolCall } from "./host-tools/host-tool.ts";
export type { ModelFamily, ModelsConfig } from "./models/models.ts";
export {
  agentOs,
  createInMemoryFileSystem,
  hostDirMount,
  hostTool,
  nodeModulesMount,
  toolKit,
} from "./moved.ts";
export type { PortFetchOptions, PortFetchResult } from "./ports/fetch-port.ts";
export type { PreviewUrl } from "./ports/previews.ts";
export type { ProcessOutputRange, SpawnOptions } from "./processes/arguments.ts";
export type { LimitName, LimitWarning } from "./processes/gauge.ts";
export type { ProcessExit, ProcessInfo } from "./processes/live-process.ts";
export type { ProcessOutput, ProcessOutputPage } from "./processes/output-log.ts";
export type { ProcessLimits } from "./processes/processes.ts";
export type {
  FileContent,
  ReadFileResult,
  TreeEntry,
  TreeOptions,
  WriteFileResult,
} from "./sandbox/batch.ts";
export type { ProcessDriverOptions } from "./sandbox/bubblewrap/process-driver.ts";
export { ProcessDriver } from "./sandbox/bubblewrap/process-driver.ts";
export type { ExportOptions } from "./sandbox/checked-sandbox.ts";
export type { EmbeddedDriverOptions } from "./sandbox/embedded/embedded-driver.ts";
export { EmbeddedDriver } from "./sandbox/embedded/embedded-driver.ts";
export type { FileStore, ImageChanges, ImageEntry } from "./sandbox/file-store.ts";
export type { HostMount, Mount } from "./sandbox/mounts.ts";
export type { SandboxNetwork } from "./sandbox/network.ts";
export type {
  ProcessCommand,
  ProcessEnd,
  ProcessListener,
  ProcessSignal,
  ProcessStream,
  SandboxProcess,
  SandboxProcessInfo,
  TerminalSize,
} from "./sandbox/process.ts";
export type { ProcessTreeNode } from "./sandbox/process-tree.ts";
export type {
  BootOptions,
  DirectoryEntry,
  ExecOptions,
  ExecResult,
  FileStat,
  Sandbox,
  SandboxDriver,
  SandboxUse,
} from "./sandbox/sandbox.ts";
export type { ForkOptions, SnapshotOptions } from "./sandbox/snapshot-arguments.ts";
export type { SnapshotInfo } from "./sandbox/snapshot-table.ts";
export type { FilesUnsaved, UnsavedCode, UnsavedPath } from "./sandbox/unsaved.ts";
export type {
  Entry,
  EntryPage,
  EntryRange,
  HistoryPage,
  HistoryRange,
  PermissionOutcome,
  PermissionQuestion,
  RuntimeUpdate,
  SessionEntry,
  SessionEvent,
  ShutdownReason,
  VmEntry,
} from "./session-entry.ts";
export type { PendingPermission } from "./sessions/permission-desk.ts";
export type { PromptResult } from "./sessions/prompts.ts";
export type { SessionInfo, SessionOptions, SessionSummary } from "./sessions/sessions.ts";
export type { ShellOptions, ShellOutputRange } from "./shells/arguments.ts";
export type { ShellData, ShellExit, ShellOutputPage } from "./shells/shells.ts";
