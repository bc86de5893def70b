/**
 * Activation: plugins by their manifests, all of them or none.
 *
 * 1. Every manifest is read and ids are compared; signatures, pins, configurations and trust are checked. No code of a
 *    plugin has run.
 * 2. Each plugin is started, in the order given. An optional one that can't be is left out and told of.
 * 3. What else is to change with them does. The registrations of those before are taken away and the new ones made, in one turn: no call sees some of them, and
 *    none sees neither.
 * 4. Calls that had begun with those before end, then they are closed, the last one first.
 *
 * Whatever fails before the end of 3 undoes all of it in reverse order, and what was there before is as it was: it never
 * stopped. A first activation is one with nothing before it; deactivating is one with nothing after it.
 */
import { TroupeError } from "@troupe/base";
import type { Relay } from "@troupe/relay";
import { nodeEnv } from "@troupe/runtime";
import { activationErrors, pluginErrors } from "../errors.ts";
import type { PluginManifest } from "../manifest/manifest.ts";
import { integrityOnly, type TrustPolicy } from "../manifest/signature.ts";
import type { SessionEnv } from "../session/session.ts";
import { ActivePlugin, type PluginStatus } from "./active-plugin.ts";
import type { PluginActors } from "./plugin-actors.ts";
import { manifestOf, type PluginSource } from "./plugin-source.ts";
import { preparePlugin } from "./prepared-plugin.ts";

/** What is activated, and where. */
export interface ActivateOptions {
  readonly plugins: readonly PluginSource[];
  readonly relay: Relay;
  /** Default: Node's own. */
  readonly env?: SessionEnv;
  /** Whose plugins are taken. Default: digests count, signatures aren't looked at. */
  readonly policy?: TrustPolicy;
}

/** An optional plugin that was left out. */
export interface SkippedPlugin {
  readonly plugin: string;
  readonly error: TroupeError;
}

/** Activates plugins. Throws `plugin.required_failed`, with the cause, `plugin.id_taken`, or what a manifest has wrong. */
export async function activatePlugins(options: ActivateOptions): Promise<ActivePlugins> {
  const active = new ActivePlugins(options);
  await active.reload(options);
  return active;
}

/** What runs, as it was asked for. */
type Asked = Required<Pick<ActivateOptions, "plugins" | "policy">>;

/** What is to run from now on. */
interface Reload extends Partial<Asked> {
  /** Called when all of it is started, right before it takes effect: what else is to change with it. What it throws undoes the reload. */
  readonly before?: () => Promise<void>;
}

/** Plugins that were started together. */
interface Generation {
  readonly plugins: readonly ActivePlugin[];
  readonly skipped: readonly SkippedPlugin[];
}

const NOTHING: Generation = { plugins: [], skipped: [] };

/** Plugins that run together. `activatePlugins` makes it. */
export class ActivePlugins implements AsyncDisposable {
  readonly #relay: Relay;
  readonly #env: SessionEnv;
  #asked: Asked = { plugins: [], policy: integrityOnly };
  #current: Generation = NOTHING;
  #ending: Promise<DeactivationReport> | undefined;
  /** One reload at a time; settles, well, when all that were asked for are done. Undefined: none is under way. */
  #reloading: Promise<unknown> | undefined;

  constructor({ relay, env = nodeEnv() }: Pick<ActivateOptions, "relay" | "env">) {
    this.#relay = relay;
    this.#env = env;
  }

  /** How each of them is. */
  get status(): readonly PluginStatus[] {
    return this.#current.plugins.map((plugin) => plugin.status);
  }

  /** Optional plugins that were left out. */
  get skipped(): readonly SkippedPlugin[] {
    return this.#current.skipped;
  }

  /** The actors of one of them, as it is now; behind a reload ask again. Undefined: it isn't among them. */
  actorsOf(id: string): PluginActors | undefined {
    return this.#current.plugins.find(({ manifest }) => manifest.id === id)?.actors;
  }

  /**
   * Starts these plugins, or the same ones anew, under this policy, or the same one, and puts them in the place of those that run: files are read again, and
   * there is no moment without guardrails. Calls that had begun end first, within `limits.pluginDrainMs`. Throws as
   * `activatePlugins` does, and `plugin.closed`; what ran goes on then, unchanged.
   */
  reload(asked: Reload = {}): Promise<DeactivationReport> {
    const done = (this.#reloading ?? Promise.resolve()).then(async () => {
      if (this.#ending !== undefined) throw pluginErrors.closed();
      const { plugins = this.#asked.plugins, policy = this.#asked.policy } = asked;
      const opened = await this.#open({ plugins, policy });
      const report = await this.#replace(opened, asked.before);
      this.#asked = { plugins, policy };
      return report;
    });
    const settled: Promise<unknown> = done
      .catch(() => {})
      .then(() => {
        if (this.#reloading === settled) this.#reloading = undefined;
      });
    this.#reloading = settled;
    return done;
  }

  /**
   * Clears registrations, at once unless a reload is under way, lets calls end, then ends the plugins, the last one first.
   * Asked again, the same promise.
   */
  deactivate(): Promise<DeactivationReport> {
    this.#ending ??= this.#reloading?.then(() => this.#replace(NOTHING)) ?? this.#replace(NOTHING);
    return this.#ending;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.deactivate();
  }

  /** Starts a generation; registers nothing. After a throw nothing of it is left. */
  async #open({ plugins: sources, policy }: Asked): Promise<Generation> {
    const plugins: ActivePlugin[] = [];
    const skipped: SkippedPlugin[] = [];
    try {
      for (const read of await readAll(sources, policy)) {
        const opened = await this.#openOne(read, policy);
        if (opened instanceof ActivePlugin) plugins.push(opened);
        else skipped.push(opened);
      }
      return { plugins, skipped };
    } catch (error) {
      await closeAll(plugins);
      throw error;
    }
  }

  async #openOne(
    { manifest, source }: ReadSource,
    policy: TrustPolicy,
  ): Promise<ActivePlugin | SkippedPlugin> {
    const { id, origin, startup } = manifest;
    try {
      const prepared = await preparePlugin(manifest, source, policy);
      return await ActivePlugin.open(prepared, { env: this.#env, relay: this.#relay });
    } catch (error) {
      if (!TroupeError.is(error)) throw error;
      if (startup === "required") throw activationErrors.required(id, origin.file, error);
      return { plugin: id, error };
    }
  }

  async #replace(next: Generation, alongside?: () => Promise<void>): Promise<DeactivationReport> {
    const before = this.#current;
    try {
      if (alongside !== undefined) await alongside();
      swap(before, next);
    } catch (error) {
      await closeAll(next.plugins);
      throw error;
    }
    this.#current = next;
    const successors = new Map(next.plugins.map((plugin) => [plugin.manifest.id, plugin]));
    await Promise.all(before.plugins.map((plugin) => plugin.drain(successors.get(plugin.manifest.id))));
    return { leftBehind: await closeAll(before.plugins) };
  }
}

/** How a deactivation, or a replacement, went. */
export interface DeactivationReport {
  /** Ids of plugins that something of still runs. */
  readonly leftBehind: readonly string[];
}

/** In one turn. After a throw the registrations of `before` are there again. */
function swap(before: Generation, next: Generation): void {
  for (const plugin of before.plugins) plugin.deregister();
  try {
    for (const plugin of next.plugins) plugin.register();
  } catch (error) {
    for (const plugin of next.plugins) plugin.deregister();
    for (const plugin of before.plugins) plugin.register();
    throw error;
  }
}

async function closeAll(plugins: readonly ActivePlugin[]): Promise<readonly string[]> {
  const leftBehind: string[] = [];
  for (const plugin of [...plugins].reverse()) {
    const { clean } = await plugin.close();
    if (!clean) leftBehind.push(plugin.manifest.id);
  }
  return leftBehind;
}

interface ReadSource {
  readonly manifest: PluginManifest;
  readonly source: PluginSource;
}

async function readAll(
  sources: readonly PluginSource[],
  policy: TrustPolicy,
): Promise<readonly ReadSource[]> {
  const read: ReadSource[] = [];
  for (const source of sources) {
    const manifest = await manifestOf(source, policy);
    const other = read.find((one) => one.manifest.id === manifest.id);
    if (other !== undefined)
      throw activationErrors.idTaken(manifest.id, [other.manifest.origin.file, manifest.origin.file]);
    read.push({ manifest, source });
  }
  return read;
}
