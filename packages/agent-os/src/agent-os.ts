/**
 * `agentOS({ … })`: an actor that gives an AI agent a place to work, and everybody else its sessions, live and durable.
 *
 * It is made with the runtime's public `actor()` alone. The state holds which sessions there are, the database their
 * transcripts; the vars hold what runs (a sandbox, agents), which ends with the activation. Actions are thin: each takes a
 * call apart and hands it on.
 */
import { limits } from "@troupe/protocol";
import { actor, db, event } from "@troupe/runtime";
import {
  checkHistory,
  checkKey,
  checkName,
  checkRange,
  contentBlocks,
  type PromptContent,
} from "./arguments.ts";
import { type AgentOSConfig, checkConfig } from "./config.ts";
import {
  type FileContent,
  readdirRecursive,
  readFiles,
  type TreeOptions,
  writeFiles,
} from "./sandbox/batch.ts";
import { EmbeddedDriver } from "./sandbox/embedded/embedded-driver.ts";
import type { ExecOptions } from "./sandbox/sandbox.ts";
import type { EntryRange, HistoryRange, PermissionQuestion, SessionEntry, VmEntry } from "./session-entry.ts";
import { migratePrompts } from "./sessions/prompts.ts";
import type { SessionTableState } from "./sessions/session-table.ts";
import type { SessionOptions } from "./sessions/sessions.ts";
import { migrateTranscript } from "./sessions/transcript.ts";
import { Workspace } from "./workspace.ts";

/** Prompts end by themselves or by a cancel, not by an action's usual time. 2^31 - 1 milliseconds. */
const PROMPT_TIMEOUT_MS = 2_147_483_647;
/** Messages of this size leave and arrive: files and events are larger than what other actors send. */
const MESSAGE_BYTES = 8 * 1024 * 1024;

/** The name of a session that is opened without one. */
const MAIN = "main";

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
    createState: (): SessionTableState => ({ sessions: {} }),
    db: db({
      onMigrate: async (database) => {
        await migrateTranscript(database);
        await migratePrompts(database);
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
    },
    onWake: (c) => c.vars.sessions.recover(),
    onSleep: (c) => c.vars.shutdown("sleep"),
    onDestroy: (c) => c.vars.shutdown("destroy"),
    actions: {
      /** Runs a command line in the sandbox's shell. */
      exec: (c, command: string, options?: ExecOptions) => c.vars.sandbox.exec(command, options),
      readFile: (c, path: string) => c.vars.sandbox.readFile(path),
      /** Writes text as UTF-8, or bytes; makes the directories above. */
      writeFile: (c, path: string, content: string | Uint8Array) => c.vars.sandbox.writeFile(path, content),
      /** Several files; one that can't be read has an `error`. */
      readFiles: (c, paths: readonly string[]) => readFiles(c.vars.sandbox, paths),
      writeFiles: (c, entries: readonly FileContent[]) => writeFiles(c.vars.sandbox, entries),
      stat: (c, path: string) => c.vars.sandbox.stat(path),
      exists: (c, path: string) => c.vars.sandbox.exists(path),
      readdir: (c, path: string) => c.vars.sandbox.readdir(path),
      /** All that is below a directory. */
      readdirRecursive: (c, path: string, options?: TreeOptions) =>
        readdirRecursive(c.vars.sandbox, path, options),
      mkdir: (c, path: string, options?: { recursive?: boolean }) => c.vars.sandbox.mkdir(path, options),
      move: (c, from: string, to: string) => c.vars.sandbox.move(from, to),
      remove: (c, path: string, options?: { recursive?: boolean }) => c.vars.sandbox.remove(path, options),

      /** A new session; `session.exists` where there is one of this name. Its agent runs when this settles. */
      createSession: (c, options: SessionOptions & { sessionId?: string } = {}) =>
        c.vars.sessions.create(options.sessionId ?? crypto.randomUUID(), options),
      /** The session of this name ("main" if none is given), created where there is none. */
      openSession: (c, options: SessionOptions & { sessionId?: string } = {}) =>
        c.vars.sessions.open(options.sessionId ?? MAIN, options),
      /** Gives the agent a prompt; settles when its turn is over and all of it is in the transcript. */
      prompt: (
        c,
        options: { sessionId?: string; content: PromptContent; idempotencyKey?: string | undefined },
      ) =>
        c.vars.sessions.prompt(
          options.sessionId ?? MAIN,
          contentBlocks(options.content),
          checkKey(options.idempotencyKey),
        ),
      cancelPrompt: (c, options: { sessionId?: string } = {}) =>
        c.vars.sessions.cancel(options.sessionId ?? MAIN),
      /** Answers an agent's question with one of its options. The first answer counts. */
      respondPermission: (c, options: { sessionId?: string; requestId: string; optionId: string }) =>
        c.vars.sessions.respondPermission(options.sessionId ?? MAIN, options.requestId, options.optionId),
      /** The agent's modes and options, and which are chosen. Starts the agent if need be. */
      getSessionConfig: (c, options: { sessionId?: string } = {}) =>
        c.vars.sessions.config(options.sessionId ?? MAIN),
      setSessionMode: (c, options: { sessionId?: string; modeId: string }) =>
        c.vars.sessions.setMode(options.sessionId ?? MAIN, checkName("modeId", options.modeId)),
      setSessionConfigOption: (
        c,
        options: { sessionId?: string; configId: string; value: string | boolean },
      ) =>
        c.vars.sessions.setOption(
          options.sessionId ?? MAIN,
          checkName("configId", options.configId),
          options.value,
        ),
      getSession: (c, options: { sessionId?: string } = {}) => c.vars.sessions.get(options.sessionId ?? MAIN),
      listSessions: (c) => c.vars.sessions.list(),
      /** Ends the session's agent; the transcript stays, and the next prompt starts the agent again. */
      unloadSession: (c, options: { sessionId?: string } = {}) =>
        c.vars.sessions.unload(options.sessionId ?? MAIN),
      /** Ends the session's agent, and forgets the session with its transcript. */
      deleteSession: (c, options: { sessionId?: string } = {}) =>
        c.vars.sessions.delete(options.sessionId ?? MAIN),
      /** The names of the agents that a session may be with; the first is who a session without a name gets. */
      listAgents: () => Object.keys(config.agents ?? {}),
      /** A page of a session's history: the newest, those `before` a sequence, or those `after` one. */
      readHistory: (c, range: HistoryRange = {}) => c.vars.transcript.history(checkHistory(range, MAIN)),
      /** A part of a session's transcript, or with the session "vm" of what happened to the sandbox. */
      getSessionEvents: (c, range: EntryRange) =>
        c.vars.transcript.page(checkRange(range, limits.sessionPageEvents)),
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
