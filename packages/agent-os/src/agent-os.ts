/**
 * `agentOS({ … })`: an actor that gives an AI agent a place to work, and everybody else its sessions, live and durable.
 *
 * It is made with the runtime's public `actor()` alone. The state holds which sessions there are, the database their
 * transcripts; the vars hold what runs (a sandbox, agents), which ends with the activation. Actions are thin: each takes a
 * call apart and hands it on. A program's own actions and events stand beside them, and see the same context.
 */
import { type ActorDefinition, actor, type ConnContext, db, type EventDeclarations } from "@troupe/runtime";
import { cronActions } from "./actions/cron-actions.ts";
import { portActions } from "./actions/port-actions.ts";
import { processActions } from "./actions/process-actions.ts";
import { sandboxActions } from "./actions/sandbox-actions.ts";
import { sessionActions } from "./actions/session-actions.ts";
import { shellActions } from "./actions/shell-actions.ts";
import { snapshotActions } from "./actions/snapshot-actions.ts";
import { agentOSEvents } from "./agent-os-events.ts";
import { type AgentOSConfig, checkConfig } from "./config.ts";
import { configErrors } from "./errors.ts";
import { type AgentOSTypes, Hooks, type NoEvents } from "./hooks.ts";
import { EmbeddedDriver } from "./sandbox/embedded/embedded-driver.ts";
import { migrateFiles } from "./sandbox/file-table.ts";
import { migrateSnapshots } from "./sandbox/snapshot-table.ts";
import { migratePrompts } from "./sessions/prompts.ts";
import { migrateTranscript } from "./sessions/transcript.ts";
import { Workspace, type WorkspaceState } from "./workspace.ts";

/** Prompts end by themselves or by a cancel, not by an action's usual time. 2^31 - 1 milliseconds. */
const PROMPT_TIMEOUT_MS = 2_147_483_647;
/** Messages of this size leave and arrive: files and events are larger than what other actors send. */
const MESSAGE_BYTES = 8 * 1024 * 1024;

const builtIn = {
  ...sandboxActions,
  ...snapshotActions,
  ...processActions,
  ...shellActions,
  ...portActions,
  ...cronActions,
  ...sessionActions,
};

/** `c` of a program's own actions; `c.vars` has the sandbox, the processes and the sessions. */
export type AgentOSContext<E extends EventDeclarations = NoEvents> = ConnContext<AgentOSTypes<E>>;

/** Actions of a program's own. */
export interface CustomActions<C> {
  readonly [name: string]: (c: C, ...args: never[]) => unknown;
}

type NoActions = Record<never, never>;

/** What `agentOS` takes. */
export type AgentOSOptions<E extends EventDeclarations = NoEvents, A = NoActions> = AgentOSConfig & {
  /** Events of the program's own. */
  readonly events?: E;
  /** Actions of the program's own. */
  readonly actions?: A & CustomActions<AgentOSContext<E>>;
};

/** The definition that `agentOS` makes. */
export type AgentOSDefinition<E extends EventDeclarations = NoEvents, A = NoActions> = ActorDefinition<
  AgentOSTypes<E>,
  typeof builtIn & A
>;

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
export function agentOS<E extends EventDeclarations = NoEvents, A = NoActions>(
  options: AgentOSOptions<E, A> = {},
): AgentOSDefinition<NoInfer<E>, NoInfer<A>> {
  checkConfig(options);
  const { actions = {}, events = {}, onBeforeConnect, ...config } = options;
  checkOwn("actions", actions, builtIn);
  checkOwn("events", events, agentOSEvents);
  const driver = config.sandbox ?? new EmbeddedDriver();
  const definition = actor({
    createState: (): WorkspaceState => ({ sessions: {} }),
    db: db({
      onMigrate: async (database) => {
        await migrateTranscript(database);
        await migratePrompts(database);
        await migrateFiles(database);
        await migrateSnapshots(database);
      },
    }),
    createVars: (c) => new Workspace(config, driver, c, new Hooks(config)),
    events: { ...agentOSEvents, ...events },
    onWake: async (c) => {
      c.vars.hooks.woken(c);
      await c.vars.sessions.recover();
    },
    ...(onBeforeConnect === undefined ? {} : { onBeforeConnect: exceptPreviews(onBeforeConnect) }),
    onRequest: (c, request) => c.vars.previews.answer(request),
    onWebSocket: (c, websocket, { request }) => c.vars.previews.accept(websocket, request),
    onSleep: (c) => c.vars.shutdown("sleep"),
    onDestroy: (c) => c.vars.shutdown("destroy"),
    canCall: { runCronJob: "internal", readSnapshotPaths: "internal", readSnapshotParts: "internal" },
    actions: { ...builtIn, ...actions },
    options: {
      // What it is joined to ends with the sandbox.
      canHibernateWebSocket: false,
      actionTimeout: PROMPT_TIMEOUT_MS,
      maxIncomingMessageSize: MESSAGE_BYTES,
      maxOutgoingMessageSize: MESSAGE_BYTES,
    },
  });
  const prepared = Object.freeze({
    ...definition,
    prepare: () => driver.keepWarm?.(config.mounts) ?? nothing,
  });
  // What a program adds is known to its type alone.
  return prepared as AgentOSDefinition<E, A>;
}

const nothing = (): Promise<void> => Promise.resolve();

type Guard = NonNullable<AgentOSConfig["onBeforeConnect"]>;

/** Whoever has the address of a preview needs no other leave. */
function exceptPreviews(guard: Guard): Guard {
  return (c, params) => (c.vars.previews.admits(c.request) ? undefined : guard(c, params));
}

function checkOwn(option: string, own: object, builtIn: object): void {
  for (const name of Object.keys(own))
    if (Object.hasOwn(builtIn, name)) throw configErrors.reservedName(option, name);
}
