/**
 * Hooks: a program's own code beside what an `agentOS` actor tells its listeners.
 *
 * A hook runs behind the event that it is about, and holds nothing up: what it throws is logged, and what it goes on with keeps
 * the actor awake. None runs before the actor has woken.
 */
import type { ActorContext, EventDeclarations, Types } from "@troupe/runtime";
import type { AgentOSEvents } from "./agent-os-events.ts";
import type { Announcement } from "./announcer.ts";
import type { LimitWarning } from "./processes/gauge.ts";
import type { PermissionQuestion, SessionEvent } from "./session-entry.ts";
import type { Workspace, WorkspaceState } from "./workspace.ts";

/** No events but those that every workspace has. */
export type NoEvents = Record<never, never>;

/** The types of an `agentOS` actor. */
export type AgentOSTypes<E extends EventDeclarations = NoEvents> = Types<
  WorkspaceState,
  unknown,
  unknown,
  Workspace,
  unknown,
  AgentOSEvents & E
>;

/** `c` of hooks and tools. */
export type HookContext = ActorContext<AgentOSTypes>;

type Context = HookContext;
type Done = void | Promise<void>;

/** A program's own code at certain points. */
export interface AgentOSHooks {
  /** Throws to refuse a connection or a call. */
  readonly onBeforeConnect?: (c: Omit<Context, "conns">, params: unknown) => Done;
  readonly onSessionEvent?: (c: Context, sessionId: string, event: SessionEvent) => Done;
  readonly onPermissionRequest?: (c: Context, sessionId: string, request: PermissionQuestion) => Done;
  readonly onVmStart?: (c: Context) => Done;
  readonly onVmStop?: (c: Context) => Done;
  readonly onLimitWarning?: (c: Context, warning: LimitWarning) => Done;
}

/** The names of the hooks. */
export const hookNames: readonly (keyof AgentOSHooks)[] = [
  "onBeforeConnect",
  "onSessionEvent",
  "onPermissionRequest",
  "onVmStart",
  "onVmStop",
  "onLimitWarning",
];

/** The hooks of one activation. */
export class Hooks {
  readonly #hooks: AgentOSHooks;
  #context: Context | undefined;

  constructor(hooks: AgentOSHooks) {
    this.#hooks = hooks;
  }

  /** The actor is awake: from now on hooks run with its context. */
  woken(context: Context): void {
    this.#context = context;
  }

  /** The actor's context; undefined before it has woken. */
  get context(): HookContext | undefined {
    return this.#context;
  }

  /** Runs what is there for this event. */
  told(...told: Announcement): void {
    const context = this.#context;
    if (context === undefined) return;
    const failed = (cause: unknown) => context.log.warn("a hook failed", { event: told[0], cause });
    try {
      const running = this.#run(context, told);
      if (running instanceof Promise) void context.keepAwake(running).catch(failed);
    } catch (cause) {
      failed(cause);
    }
  }

  #run(c: Context, [name, about]: Announcement): Done {
    const hooks = this.#hooks;
    switch (name) {
      case "sessionEvent":
        return hooks.onSessionEvent?.(c, about.sessionId, about.event);
      case "permissionRequest":
        return hooks.onPermissionRequest?.(c, about.sessionId, about);
      case "vmBooted":
        return hooks.onVmStart?.(c);
      case "vmShutdown":
        return hooks.onVmStop?.(c);
      case "limitWarning":
        return hooks.onLimitWarning?.(c, about);
      default:
        return undefined;
    }
  }
}
