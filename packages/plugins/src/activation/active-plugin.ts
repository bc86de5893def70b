/**
 * Active plugin: one plugin from its start to its end.
 *
 * When its process is gone before it was asked to end, it is started again, a few times. Its registrations stay: a
 * guardrail whose plugin is gone fails closed, and doesn't silently let everything pass.
 */
import type { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { Relay } from "@troupe/relay";
import type { CloseReport } from "../carrier.ts";
import type { PluginKind } from "../manifest/load.ts";
import type { PluginManifest, Startup } from "../manifest/manifest.ts";
import type { SessionEnv } from "../session/session.ts";
import { openPlugin } from "./open-plugin.ts";
import { PluginActors } from "./plugin-actors.ts";
import { PluginMiddleware } from "./plugin-middleware.ts";
import type { PreparedPlugin, RunsIn } from "./prepared-plugin.ts";
import type { SupervisedSession, SupervisedState } from "./supervised-session.ts";

/** How an active plugin is. */
export interface PluginStatus {
  readonly id: string;
  readonly version: string;
  readonly kind: PluginKind;
  readonly runsIn: RunsIn;
  /** Whether nothing should go on without it. */
  readonly startup: Startup;
  /** `lost`: it is gone, and isn't started again. */
  readonly state: SupervisedState;
  /** How often its middleware and its actors were called, and how often that failed, since it was activated. */
  readonly calls: number;
  readonly failures: number;
  /** How often it ended before it was asked to, starts that failed among them. */
  readonly crashes: number;
  /** How often it was started again after a crash. */
  readonly restarts: number;
  /** The names of its registrations in the relay. */
  readonly registrations: readonly string[];
  /** The library that is loaded in place of the manifest's, in development. */
  readonly override: string | undefined;
  /** Why its process ended, the last time; where it runs, why the last reload couldn't replace it (`plugin.not_replaced`). */
  readonly error: TroupeError | undefined;
}

/** What a plugin is activated in. */
export interface ActivationContext {
  readonly env: SessionEnv;
  /** Undefined: there is none, and the plugin's manifest wants none. */
  readonly relay: Relay | undefined;
}

/** One plugin that runs. */
export class ActivePlugin {
  readonly #prepared: PreparedPlugin;
  readonly #session: SupervisedSession;
  readonly #middleware: PluginMiddleware;
  /** What it contributes to registries that name it. */
  readonly actors: PluginActors;

  private constructor(prepared: PreparedPlugin, session: SupervisedSession, context: ActivationContext) {
    this.#prepared = prepared;
    this.#session = session;
    this.#middleware = new PluginMiddleware(context, session);
    this.actors = new PluginActors(prepared.manifest.id, session);
  }

  /** Starts a plugin, and leaves nothing of it when it can't be. Registers nothing yet. */
  static async open(prepared: PreparedPlugin, context: ActivationContext): Promise<ActivePlugin> {
    return new ActivePlugin(prepared, await openPlugin(prepared, context), context);
  }

  get manifest(): PluginManifest {
    return this.#prepared.manifest;
  }

  get status(): PluginStatus {
    const { id, version, load, startup } = this.manifest;
    const { runsIn, override } = this.#prepared;
    const registrations = this.#middleware.names;
    const { state, error, counts, crashes, restarts } = this.#session;
    return {
      id,
      version,
      kind: load.kind,
      runsIn,
      startup,
      state,
      calls: counts.calls,
      failures: counts.failures,
      crashes,
      restarts,
      registrations,
      override,
      error,
    };
  }

  /** Registers what it contributes. Throws what the relay throws: some may be registered then. */
  register(): void {
    this.#middleware.register(this.manifest.id);
  }

  /** Takes its registrations away, at once. Calls that had begun go on. */
  deregister(): void {
    this.#middleware.deregister();
  }

  /**
   * Lets the calls end that had begun, its subscribers have the events that wait, and its actors sleep, for a while. What comes late is answered by `successor`, where it
   * has the same.
   */
  async drain(successor?: ActivePlugin): Promise<void> {
    if (successor !== undefined) this.#middleware.handOver(successor.#middleware);
    const { current } = this.#session;
    await Promise.all([this.#middleware.drain(limits.pluginDrainMs), current.drain(limits.pluginDrainMs)]);
  }

  /** Ends it. Its registrations are cleared first. */
  async close(): Promise<CloseReport> {
    const report = await this.#session.close();
    await this.#middleware.tellLost(this.manifest.id);
    return report;
  }
}
