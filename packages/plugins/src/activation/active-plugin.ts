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
import type { PluginManifest } from "../manifest/manifest.ts";
import { openSession } from "../session/open-session.ts";
import type { PluginSession, SessionEnv } from "../session/session.ts";
import { TROUPE_VERSION } from "../version.ts";
import { carrierOf } from "./carrier-of.ts";
import { checkDeclarations, PluginMiddleware } from "./plugin-middleware.ts";

/** How an active plugin is. */
export interface PluginStatus {
  readonly id: string;
  readonly version: string;
  readonly kind: "native" | "worker";
  /** Whether nothing should go on without it. */
  readonly startup: PluginManifest["startup"];
  readonly state: "active" | "lost";
  /** The names of its registrations in the relay. */
  readonly registrations: readonly string[];
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
  readonly manifest: PluginManifest;
  readonly #session: PluginSession;
  readonly #middleware: PluginMiddleware;
  #error: TroupeError | undefined;

  private constructor(manifest: PluginManifest, session: PluginSession, relay: Relay) {
    this.manifest = manifest;
    this.#session = session;
    this.#middleware = new PluginMiddleware(relay, session);
    void session.ended.then((error) => {
      this.#error = error;
    });
  }

  /** Starts a plugin, and leaves nothing of it when it can't be. Registers nothing yet. */
  static async open(manifest: PluginManifest, { env, relay }: ActivationContext): Promise<ActivePlugin> {
    const session = await openSession({ env, open: carrierOf(manifest), hostVersion: TROUPE_VERSION });
    try {
      checkDeclarations(manifest, session.declared);
      return new ActivePlugin(manifest, session, relay);
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  get status(): PluginStatus {
    const { id, version, load, startup } = this.manifest;
    const registrations = this.#middleware.names;
    const state = this.#session.open ? "active" : "lost";
    return { id, version, kind: load.kind, startup, state, registrations, error: this.#error };
  }

  /** Registers what it contributes. Throws what the relay throws. */
  register(): void {
    this.#middleware.register(this.manifest.id);
  }

  /** Takes its registrations away, and lets the calls end that had begun. */
  clear(): Promise<void> {
    return this.#middleware.clear(limits.pluginDrainMs);
  }

  /** Ends it. Its registrations are cleared first. */
  close(): Promise<CloseReport> {
    return this.#session.close();
  }
}
