/**
 * Activation: plugins by their manifests, all of them or none.
 *
 * 1. Every manifest is read, and ids are compared. No code of a plugin has run.
 * 2. Each plugin is started, in the order given. An optional one that can't be is left out and told of.
 * 3. All are registered with the relay, at once: no call sees some of them.
 *
 * Whatever fails undoes all of it in reverse order: registrations, then sessions and processes. Deactivating is the same
 * walk, so that a second activation finds nothing of the first.
 */
import { TroupeError } from "@troupe/base";
import type { Relay } from "@troupe/relay";
import { nodeEnv } from "@troupe/runtime";
import { activationErrors } from "../errors.ts";
import type { PluginManifest } from "../manifest/manifest.ts";
import type { SessionEnv } from "../session/session.ts";
import { type ActivationContext, ActivePlugin, type PluginStatus } from "./active-plugin.ts";
import { manifestOf, type PluginSource } from "./plugin-source.ts";

/** What is activated, and where. */
export interface ActivateOptions {
  readonly plugins: readonly PluginSource[];
  readonly relay: Relay;
  /** Default: Node's own. */
  readonly env?: SessionEnv;
}

/** An optional plugin that was left out. */
export interface SkippedPlugin {
  /** Its id, or its manifest's path where that can't be read. */
  readonly plugin: string;
  readonly error: TroupeError;
}

/** Activates plugins. Throws `plugin.required_failed`, with the cause, `plugin.id_taken`, or what a manifest has wrong. */
export async function activatePlugins(options: ActivateOptions): Promise<ActivePlugins> {
  const { plugins, relay, env = nodeEnv() } = options;
  const manifests = await readAll(plugins);
  const active = new ActivePlugins();
  try {
    await active.start(manifests, { env, relay });
    return active;
  } catch (error) {
    await active.deactivate();
    throw error;
  }
}

/** Plugins that run together. */
export class ActivePlugins implements AsyncDisposable {
  readonly #plugins: ActivePlugin[] = [];
  readonly #skipped: SkippedPlugin[] = [];
  #ending: Promise<DeactivationReport> | undefined;

  /** How each of them is. */
  get status(): readonly PluginStatus[] {
    return this.#plugins.map((plugin) => plugin.status);
  }

  /** Optional plugins that were left out. */
  get skipped(): readonly SkippedPlugin[] {
    return this.#skipped;
  }

  /** Starts and registers. For `activatePlugins`, which undoes what a throw leaves. */
  async start(manifests: readonly PluginManifest[], context: ActivationContext): Promise<void> {
    for (const manifest of manifests) await this.#open(manifest, context);
    for (const plugin of this.#plugins) plugin.register();
  }

  /** Clears registrations, lets calls end, then ends the plugins, the last one first. Asked again, the same promise. */
  deactivate(): Promise<DeactivationReport> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.deactivate();
  }

  async #open(manifest: PluginManifest, context: ActivationContext): Promise<void> {
    const { id, origin, startup } = manifest;
    try {
      this.#plugins.push(await ActivePlugin.open(manifest, context));
    } catch (error) {
      if (!TroupeError.is(error)) throw error;
      if (startup === "required") throw activationErrors.required(id, origin.file, error);
      this.#skipped.push({ plugin: id, error });
    }
  }

  async #end(): Promise<DeactivationReport> {
    const leftBehind: string[] = [];
    await Promise.all(this.#plugins.map((plugin) => plugin.clear()));
    for (const plugin of [...this.#plugins].reverse()) {
      const { clean } = await plugin.close();
      if (!clean) leftBehind.push(plugin.manifest.id);
    }
    this.#plugins.length = 0;
    return { leftBehind };
  }
}

/** How a deactivation went. */
export interface DeactivationReport {
  /** Ids of plugins that something of still runs. */
  readonly leftBehind: readonly string[];
}

async function readAll(sources: readonly PluginSource[]): Promise<readonly PluginManifest[]> {
  const manifests: PluginManifest[] = [];
  for (const source of sources) {
    const manifest = await manifestOf(source);
    const other = manifests.find(({ id }) => id === manifest.id);
    if (other !== undefined)
      throw activationErrors.idTaken(manifest.id, [other.origin.file, manifest.origin.file]);
    manifests.push(manifest);
  }
  return manifests;
}
