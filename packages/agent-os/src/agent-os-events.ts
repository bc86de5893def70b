/** The events that every `agentOS` actor has. */
import { event } from "@troupe/runtime";
import type { CronEvent } from "./cron/cron-jobs.ts";
import type { LimitWarning } from "./processes/gauge.ts";
import type { ProcessExit } from "./processes/live-process.ts";
import type { ProcessOutput } from "./processes/output-log.ts";
import type { FilesUnsaved } from "./sandbox/unsaved.ts";
import type { PermissionQuestion, SessionEntry, VmEntry } from "./session-entry.ts";
import type { ShellData, ShellExit } from "./shells/shells.ts";

/** What an `agentOS` actor tells. */
export const agentOSEvents = {
  /** An update of a session. */
  sessionEvent: event<SessionEntry>(),
  /** An agent asks, where the policy is "ask": `respondPermission` answers. */
  permissionRequest: event<PermissionQuestion>(),
  vmBooted: event<VmEntry>(),
  vmShutdown: event<VmEntry>(),
  /** What a process printed, piece by piece. `readProcessOutput` has it for who comes late. */
  processOutput: event<ProcessOutput>(),
  processExit: event<ProcessExit>(),
  /** What a shell shows, piece by piece. `readShellOutput` has it for who comes late. */
  shellData: event<ShellData>(),
  shellExit: event<ShellExit>(),
  /** A limit is four fifths used. */
  limitWarning: event<LimitWarning>(),
  /** Other files than before can't be saved. */
  filesUnsaved: event<FilesUnsaved>(),
  /** A job begins, has ended, or has failed. */
  cronEvent: event<CronEvent>(),
};

/** Their declarations. */
export type AgentOSEvents = typeof agentOSEvents;
