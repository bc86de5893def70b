/**
 * Active plugin: one plugin from its start to its end.
 *
 * When its process or library is gone before it was asked to end, its registrations stay: a guardrail whose plugin is
 * gone fails closed, and doesn't silently let everything pass.
 */
import type { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { Relay } from "@troupe/relay";
import type { CloseReport } from "../carrier.ts";
import type { PluginKind } from "../manifest/load.ts";
import type { PluginManifest, Startup } from "../manifest/manifest.ts";
import { openSession } from "../session/open-session.ts";
import type { PluginSession, SessionEnv } from "../session/session.ts";
import { TROUPE_VERSION } from "../version.ts";
import { checkDeclarations, PluginMiddleware } from "./plugin-middleware.ts";
import type { PreparedPlugin, RunsIn } from "./prepared-plugin.ts";

/** How an active plugin is. */
export interface PluginStatus {
  readonly id: string;
  readonly version: string;
  readonly kind: PluginKind;
  readonly runsIn: RunsIn;
  /** Whether nothing should go on without it. */
  readonly startup: Startup;
  readonly state: "active" | "lost";
  /** The names of its registrations in the relay. */
  readonly registrations: readonly string[];
  /** The library that is loaded in place of the manifest's, in development. */
  readonly override: string | undefined;
  /** Why it was lost. */
  readonly error: TroupeError | undefined;
}

/** What a plugin is activated in. */
export interface ActivationContext {
  readonly env: SessionEnv;
  readonly relay: Relay;
}

/** One plugin that runs. */
export class ActivePlugin {
  readonly #prepared: PreparedPlugin;
  readonly #session: PluginSession;
  readonly #middleware: PluginMiddleware;
  #error: TroupeError | undefined;

  private constructor(prepared: PreparedPlugin, session: PluginSession, relay: Relay) {
    this.#prepared = prepared;
    this.#session = session;
    this.#middleware = new PluginMiddleware(relay, session);
    void session.ended.then((error) => {
      this.#error = error;
    });
  }

  /** Starts a plugin, and leaves nothing of it when it can't be. Registers nothing yet. */
  static async open(prepared: PreparedPlugin, { env, relay }: ActivationContext): Promise<ActivePlugin> {
    const { manifest, open, config } = prepared;
    const session = await openSession({ env, open, hostVersion: TROUPE_VERSION, ...(config && { config }) });
    try {
      checkDeclarations(manifest, session.declared);
      return new ActivePlugin(prepared, session, relay);
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  get manifest(): PluginManifest {
    return this.#prepared.manifest;
  }

  get status(): PluginStatus {
    const { id, version, load, startup } = this.manifest;
    const { runsIn, override } = this.#prepared;
    const registrations = this.#middleware.names;
    const state = this.#session.open ? "active" : "lost";
    return {
      id,
      version,
      kind: load.kind,
      runsIn,
      startup,
      state,
      registrations,
      override,
      error: this.#error,
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

  /** Lets the calls end that had begun, for a while. What comes late is answered by `successor`, where it has the same. */
  drain(successor?: ActivePlugin): Promise<void> {
    if (successor !== undefined) this.#middleware.handOver(successor.#middleware);
    return this.#middleware.drain(limits.pluginDrainMs);
  }

  /** Ends it. Its registrations are cleared first. */
  close(): Promise<CloseReport> {
    return this.#session.close();
  }
}
