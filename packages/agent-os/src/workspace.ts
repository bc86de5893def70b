/**
 * Workspace: what one activation of the actor holds: a sandbox, its processes, sessions, and the log that both write.
 *
 * It is made without waiting for anything, so that neither a wake nor a connection waits for a boot.
 */

import type { Logger } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { Database } from "@troupe/runtime";
import { Egress } from "@troupe/runtime/egress";
import type { Announcer } from "./announcer.ts";
import type { AgentOSConfig } from "./config.ts";
import type { Hooks } from "./hooks.ts";
import { HostTools } from "./host-tools/host-tools.ts";
import { Models } from "./models/models.ts";
import { type PreviewState, Previews } from "./ports/previews.ts";
import { SandboxGauges } from "./processes/gauge.ts";
import { Processes } from "./processes/processes.ts";
import { CheckedSandbox } from "./sandbox/checked-sandbox.ts";
import { FileTable } from "./sandbox/file-table.ts";
import type { SandboxDriver } from "./sandbox/sandbox.ts";
import { SandboxSlot } from "./sandbox/sandbox-slot.ts";
import { Snapshots } from "./sandbox/snapshots.ts";
import type { UnsavedPath } from "./sandbox/unsaved.ts";
import type { ShutdownReason } from "./session-entry.ts";
import { EventLog } from "./sessions/event-log.ts";
import { Prompts } from "./sessions/prompts.ts";
import { SessionTable, type SessionTableState } from "./sessions/session-table.ts";
import { Sessions } from "./sessions/sessions.ts";
import { ToolCalls } from "./sessions/tool-calls.ts";
import { Transcript } from "./sessions/transcript.ts";
import { Shells } from "./shells/shells.ts";

/** The actor's state. */
export interface WorkspaceState extends SessionTableState, PreviewState {
  /** The number of its last process; absent until there was one. */
  lastPid?: number;
}

/** What a workspace needs of its actor's context. */
export interface WorkspaceActor extends Announcer {
  readonly state: WorkspaceState;
  readonly db: Database;
  readonly abortSignal: AbortSignal;
  readonly log: Pick<Logger, "warn">;
  saveState(options: { readonly immediate: true }): Promise<void>;
  keepAwake<R>(promise: Promise<R>): Promise<R>;
}

/** One activation's sandbox, processes and sessions. */
export class Workspace {
  readonly hooks: Hooks;
  readonly slot: SandboxSlot;
  /** For callers. */
  readonly sandbox: CheckedSandbox;
  readonly snapshots: Snapshots;
  readonly processes: Processes;
  readonly shells: Shells;
  readonly previews: Previews;
  readonly sessions: Sessions;
  readonly transcript: Transcript;
  readonly #log: EventLog;

  constructor(config: AgentOSConfig, driver: SandboxDriver, actor: WorkspaceActor, hooks: Hooks) {
    this.hooks = hooks;
    const announcer = announcing(actor, hooks);
    this.transcript = new Transcript(actor.db);
    this.#log = new EventLog(this.transcript, announcer);
    const gauges = new SandboxGauges((warning) => announcer.broadcast("limitWarning", warning));
    this.slot = new SandboxSlot({
      driver,
      files: config.root === "memory" ? undefined : new FileTable(actor.db),
      mounts: config.mounts,
      network: config.network === undefined ? undefined : new Egress(config.network),
      onUse: (use) => gauges.set(use),
      onBooted: () => this.#log.vm({ type: "vm_booted", driver: driver.name }),
      onUnsaved: (unsaved) => tellUnsaved(unsaved, announcer, actor.log),
      onState: (state) => {
        const event =
          state === "lost"
            ? ({ type: "vm_shutdown", reason: "error" } as const)
            : ({ type: "vm_booted", driver: driver.name } as const);
        this.#log
          .vm(event)
          .catch((cause: unknown) =>
            actor.log.warn("what became of a sandbox could not be stored", { cause }),
          );
      },
    });
    this.snapshots = new Snapshots({
      database: actor.db,
      sandbox: () => this.slot.get(),
      durable: config.root !== "memory",
    });
    this.sandbox = new CheckedSandbox(this.slot, this.snapshots);
    const running = {
      announcer,
      sandbox: () => this.slot.get(),
      nextPid: () => {
        const pid = (actor.state.lastPid ?? 0) + 1;
        actor.state.lastPid = pid;
        return pid;
      },
      keepAwake: (running: Promise<unknown>) => void actor.keepAwake(running),
    };
    this.processes = new Processes({ ...running, limits: config.limits ?? {} });
    this.shells = new Shells(running);
    this.previews = new Previews({
      state: () => actor.state,
      sandbox: () => this.slot.get(),
      hasPorts: driver.hasPorts !== false,
    });
    this.sessions = new Sessions({
      agents: config.agents ?? {},
      table: new SessionTable(() => actor.state),
      log: this.#log,
      transcript: this.transcript,
      prompts: new Prompts(actor.db),
      sandbox: () => this.slot.get(),
      callsBetween: () => (hooks.context === undefined ? undefined : ToolCalls.of(hooks.context)),
      models: config.models === undefined ? undefined : new Models(config.models, () => hooks.context),
      tools: new HostTools({ tools: config.tools ?? {}, context: () => hooks.context, log: actor.log }),
      permissions: config.permissions ?? "reject_all",
      permissionTimeoutMs: config.permissionTimeoutMs ?? limits.agentPermissionMs,
      startTimeoutMs: config.agentStartTimeoutMs ?? limits.agentStartMs,
      cancelTimeoutMs: config.agentCancelTimeoutMs ?? limits.agentCancelMs,
      durable: () => actor.saveState({ immediate: true }),
    });
    actor.abortSignal.addEventListener("abort", () => void this.#stopping(actor), { once: true });
  }

  /**
   * A stop waits for actions in flight and for processes: what they wait for is ended when it begins, not behind it. An actor that
   * stops because it can't save any more has no last hook, in which the sandbox would be shut down.
   */
  async #stopping(actor: WorkspaceActor): Promise<void> {
    this.slot.hurry();
    const closed = Promise.all([this.sessions.close(), this.processes.close(), this.shells.end()]);
    // Not in the turn of the signal: the actor says only behind it whether it can still save.
    await Promise.resolve();
    try {
      await actor.saveState({ immediate: true }).catch(() => this.slot.shutdown());
      await closed;
    } catch (cause) {
      actor.log.warn("a sandbox could not be shut down", { cause });
    }
  }

  /** Ends agents and sandbox, and says so if there was a sandbox. */
  async shutdown(reason: ShutdownReason): Promise<void> {
    await Promise.all([this.sessions.close(), this.processes.close(), this.shells.end()]);
    if (await this.slot.shutdown()) await this.#log.vm({ type: "vm_shutdown", reason });
  }
}

function tellUnsaved(
  unsaved: readonly UnsavedPath[],
  announcer: Announcer,
  log: WorkspaceActor["log"],
): void {
  announcer.broadcast("filesUnsaved", { unsaved });
  if (unsaved.length > 0) log.warn("files of a sandbox can't be saved, and end with it", { unsaved });
}

/** Listeners first, then hooks. */
function announcing(actor: Announcer, hooks: Hooks): Announcer {
  return {
    broadcast: (...told) => {
      actor.broadcast(...told);
      hooks.told(...told);
    },
  };
}
