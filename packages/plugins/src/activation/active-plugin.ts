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
import type { PluginDeclarations } from "../session/declarations.ts";
import { openSession } from "../session/open-session.ts";
import type { PluginSession, SessionEnv } from "../session/session.ts";
import { TROUPE_VERSION } from "../version.ts";
import { checkDeclarations, checkSameMiddleware, PluginMiddleware } from "./plugin-middleware.ts";
import type { PreparedPlugin, RunsIn } from "./prepared-plugin.ts";
import { SupervisedSession, type SupervisedState } from "./supervised-session.ts";

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
  /** The names of its registrations in the relay. */
  readonly registrations: readonly string[];
  /** The library that is loaded in place of the manifest's, in development. */
  readonly override: string | undefined;
  /** Why its process ended, the last time. */
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
  readonly #session: SupervisedSession;
  readonly #middleware: PluginMiddleware;

  private constructor(prepared: PreparedPlugin, session: SupervisedSession, relay: Relay) {
    this.#prepared = prepared;
    this.#session = session;
    this.#middleware = new PluginMiddleware(relay, session);
  }

  /** Starts a plugin, and leaves nothing of it when it can't be. Registers nothing yet. */
  static async open(prepared: PreparedPlugin, { env, relay }: ActivationContext): Promise<ActivePlugin> {
    const first = await openChecked(prepared, env);
    const reopen = async (): Promise<PluginSession> => await openChecked(prepared, env, first.declared);
    // What runs in this process ends with it, or was told to end.
    const supervision = { env, reopen: prepared.runsIn === "this process" ? undefined : reopen };
    return new ActivePlugin(prepared, new SupervisedSession(first, supervision), relay);
  }

  get manifest(): PluginManifest {
    return this.#prepared.manifest;
  }

  get status(): PluginStatus {
    const { id, version, load, startup } = this.manifest;
    const { runsIn, override } = this.#prepared;
    const registrations = this.#middleware.names;
    const { state, error } = this.#session;
    return {
      id,
      version,
      kind: load.kind,
      runsIn,
      startup,
      state,
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

/** A session that declares what its manifest allows, and what it declared `before`. Nothing of it is left after a throw. */
async function openChecked(
  { manifest, open, config }: PreparedPlugin,
  env: SessionEnv,
  before?: PluginDeclarations,
): Promise<PluginSession> {
  const session = await openSession({ env, open, hostVersion: TROUPE_VERSION, ...(config && { config }) });
  try {
    checkDeclarations(manifest, session.declared);
    if (before !== undefined) checkSameMiddleware(manifest, session.declared, before);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}
