/**
 * `agentOS({ … })`: an actor that gives an AI agent a place to work, and everybody else its sessions, live and durable.
 *
 * It is made with the runtime's public `actor()` alone. The state holds which sessions there are, the database their
 * transcripts; the vars hold what runs (a sandbox, agents), which ends with the activation. Actions are thin: each takes a
 * call apart and hands it on.
 */
import { actor, db, event } from "@troupe/runtime";
import { processActions } from "./actions/process-actions.ts";
import { sandboxActions } from "./actions/sandbox-actions.ts";
import { sessionActions } from "./actions/session-actions.ts";
import { type AgentOSConfig, checkConfig } from "./config.ts";
import type { LimitWarning } from "./processes/gauge.ts";
import type { ProcessExit } from "./processes/live-process.ts";
import type { ProcessOutput } from "./processes/output-log.ts";
import { EmbeddedDriver } from "./sandbox/embedded/embedded-driver.ts";
import { migrateFiles } from "./sandbox/file-table.ts";
import type { PermissionQuestion, SessionEntry, VmEntry } from "./session-entry.ts";
import { migratePrompts } from "./sessions/prompts.ts";
import { migrateTranscript } from "./sessions/transcript.ts";
import { Workspace, type WorkspaceState } from "./workspace.ts";

/** Prompts end by themselves or by a cancel, not by an action's usual time. 2^31 - 1 milliseconds. */
const PROMPT_TIMEOUT_MS = 2_147_483_647;
/** Messages of this size leave and arrive: files and events are larger than what other actors send. */
const MESSAGE_BYTES = 8 * 1024 * 1024;

/**
 * Defines an actor with a sandbox and agent sessions.
 *
 * ```ts
 * const workspace = agentOS({ agents: { coder: { command: "my-agent", args: ["--acp"] } } });
 * const registry = setup({ use: { workspace } });
 * ```
 *
 * Throws `config.*` where an option isn't one.
 */
export function agentOS(config: AgentOSConfig = {}) {
  checkConfig(config);
  const driver = config.sandbox ?? new EmbeddedDriver();
  return actor({
    createState: (): WorkspaceState => ({ sessions: {} }),
    db: db({
      onMigrate: async (database) => {
        await migrateTranscript(database);
        await migratePrompts(database);
        await migrateFiles(database);
      },
    }),
    createVars: (c) => new Workspace(config, driver, c),
    events: {
      /** An update of a session. */
      sessionEvent: event<SessionEntry>(),
      /** An agent asks, where the policy is "ask": `respondPermission` answers. */
      permissionRequest: event<PermissionQuestion>(),
      vmBooted: event<VmEntry>(),
      vmShutdown: event<VmEntry>(),
      /** What a process printed, piece by piece. `readProcessOutput` has it for who comes late. */
      processOutput: event<ProcessOutput>(),
      processExit: event<ProcessExit>(),
      /** A limit is four fifths used. */
      limitWarning: event<LimitWarning>(),
    },
    onWake: (c) => c.vars.sessions.recover(),
    onSleep: (c) => c.vars.shutdown("sleep"),
    onDestroy: (c) => c.vars.shutdown("destroy"),
    actions: {
      ...sandboxActions,
      ...processActions,
      ...sessionActions,
    },
    options: {
      actionTimeout: PROMPT_TIMEOUT_MS,
      maxIncomingMessageSize: MESSAGE_BYTES,
      maxOutgoingMessageSize: MESSAGE_BYTES,
    },
  });
}

/** The definition that `agentOS` makes. */
export type AgentOSDefinition = ReturnType<typeof agentOS>;
