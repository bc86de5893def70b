/** What a workspace tells its listeners: each event by its name, with its one argument. */
import type { CronEvent } from "./cron/cron-jobs.ts";
import type { LimitWarning } from "./processes/gauge.ts";
import type { ProcessExit } from "./processes/live-process.ts";
import type { ProcessOutput } from "./processes/output-log.ts";
import type { FilesUnsaved } from "./sandbox/unsaved.ts";
import type { PermissionQuestion, SessionEntry, VmEntry } from "./session-entry.ts";
import type { ShellData, ShellExit } from "./shells/shells.ts";

/** One thing that is told. */
export type Announcement =
  | [name: "sessionEvent", entry: SessionEntry]
  | [name: "permissionRequest", question: PermissionQuestion]
  | [name: "vmBooted" | "vmShutdown", entry: VmEntry]
  | [name: "processOutput", output: ProcessOutput]
  | [name: "processExit", exit: ProcessExit]
  | [name: "shellData", data: ShellData]
  | [name: "shellExit", exit: ShellExit]
  | [name: "limitWarning", warning: LimitWarning]
  | [name: "filesUnsaved", files: FilesUnsaved]
  | [name: "cronEvent", event: CronEvent];

/** How listeners are told. */
export interface Announcer {
  broadcast(...told: Announcement): void;
}
