/**
 * Activation: plugins by their manifests, all of them or none.
 *
 * 1. Every manifest is read and ids are compared; signatures, pins, configurations and trust are checked. No code of a
 *    plugin has run.
 * 2. Each plugin is started, in the order given. An optional one that can't be is left out; where one of that id runs
 *    already, that one goes on: a guardrail doesn't go because its successor is broken. Either is told of, when 3 is done.
 * 3. What else is to change with them does. The registrations of those before are taken away and the new ones made, in one turn: no call sees some of them, and
 *    none sees neither.
 * 4. Calls that had begun with those before end, then they are closed, the last one first.
 *
 * Whatever fails before the end of 3 undoes all of it in reverse order, and what was there before is as it was: it never
 * stopped. A first activation is one with nothing before it; deactivating is one with nothing after it.
 */
import { type Logger, TroupeError } from "@troupe/base";
import type { Relay } from "@troupe/relay";
import { createRelay, platformEnv } from "@troupe/relay/node";
import { nodeEnv } from "@troupe/runtime/process";
import { activationErrors, pluginErrors } from "../errors.ts";
import type { PluginManifest } from "../manifest/manifest.ts";
import { integrityOnly, type TrustPolicy } from "../manifest/signature.ts";
import type { SessionEnv } from "../session/session.ts";
import { ActivePlugin, type PluginStatus } from "./active-plugin.ts";
import { warnOfOverride } from "./library-override.ts";
import type { NamedPlugins, NamedReading } from "./named-plugins.ts";
import type { PluginActors } from "./plugin-actors.ts";
import { type FoundPlugins, manifestOf, type PluginSource, type ReadPlugin } from "./plugin-source.ts";
import { preparePlugin } from "./prepared-plugin.ts";

/** What is activated, and where. */
export interface ActivateOptions {
  /** As a function it is asked at the start and anew at each reload. */
  readonly plugins: readonly PluginSource[] | (() => Promise<FoundPlugins>);
  /** Default: one of its own, where one of the first plugins may want a relay. */
  readonly relay?: Relay | undefined;
  /** Default: Node's own. */
  readonly env?: SessionEnv;
  /** Whose plugins are taken. Default: as `plugins` found it, or digests count and signatures aren't looked at. */
  readonly policy?: TrustPolicy | undefined;
}

/** An optional plugin that couldn't be started. */
export interface SkippedPlugin {
  readonly plugin: string;
  readonly error: TroupeError;
}

/**
 * Activates plugins, and beside them those that are named. Throws `plugin.required_failed`, with the cause, `plugin.id_taken`, or
 * what a manifest has wrong.
 */
export async function activatePlugins(
  options: ActivateOptions,
  named?: NamedPlugins,
): Promise<ActivePlugins> {
  const active = new ActivePlugins(options, named);
  await active.reload(options);
  return active;
}

/** What runs, as it was asked for. */
type Asked = Pick<ActivateOptions, "plugins" | "policy">;

/** What is to run from now on. */
export interface Reload extends Partial<Asked> {
  /** Called when all of it is started, right before it takes effect: what else is to change with it. What it throws undoes the reload. */
  readonly before?: () => Promise<void>;
}

/** Plugins that run together. */
interface Generation {
  readonly plugins: readonly ActivePlugin[];
  /** Those of them that were in the generation before as well, and why: `plugin.not_replaced`. */
  readonly kept: readonly SkippedPlugin[];
  /** Those that were left out. */
  readonly skipped: readonly SkippedPlugin[];
  /** What was read of all of them. */
  readonly sources: readonly ReadPlugin[];
  /** Undefined: nothing was loaded yet. */
  readonly named: NamedReading | undefined;
}

const NOTHING: Generation = { plugins: [], kept: [], skipped: [], sources: [], named: undefined };

/** Plugins that run together. `activatePlugins` makes it. */
export class ActivePlugins implements AsyncDisposable {
  readonly #env: SessionEnv;
  readonly #named: NamedPlugins | undefined;
  #relay: Relay | undefined;
  /** A relay that is made later is one that nobody calls. */
  #begun = false;
  #asked: Asked = { plugins: [] };
  #current: Generation = NOTHING;
  #ending: Promise<DeactivationReport> | undefined;
  /** One reload at a time; settles, well, when all that were asked for are done. Undefined: none is under way. */
  #reloading: Promise<unknown> | undefined;

  constructor({ relay, env = nodeEnv() }: Pick<ActivateOptions, "relay" | "env">, named?: NamedPlugins) {
    this.#relay = relay;
    this.#named = named;
    this.#env = env;
  }

  /** The one that their middleware is in; undefined: they were given none, and the first of them wanted none. */
  get relay(): Relay | undefined {
    return this.#relay;
  }

  /** How each of them is. */
  get status(): readonly PluginStatus[] {
    const { plugins, kept } = this.#current;
    return plugins.map(({ status }) => {
      const why = kept.find(({ plugin }) => plugin === status.id);
      // One that is gone has its end to tell of, which is worse.
      return why === undefined || status.state !== "active" ? status : { ...status, error: why.error };
    });
  }

  /** Optional plugins that were left out: they couldn't be started, and none of their id ran. */
  get skipped(): readonly SkippedPlugin[] {
    return this.#current.skipped;
  }

  /** What was read of all of them the last time, those among them that were left out. */
  get sources(): readonly ReadPlugin[] {
    return this.#current.sources;
  }

  /** What was read the last time of those that are named. */
  get named(): NamedReading | undefined {
    return this.#current.named;
  }

  /** The actors of one of them, as it is now; behind a reload ask again. Undefined: it isn't among them. */
  actorsOf(id: string): PluginActors | undefined {
    return this.#current.plugins.find(({ manifest }) => manifest.id === id)?.actors;
  }

  /**
   * Starts these plugins, or the same ones anew, under this policy, or the same one, and puts them in the place of those that run: files are read again, and
   * there is no moment without guardrails. Calls that had begun end first, within `limits.pluginDrainMs`. An optional plugin that
   * runs and can't be started anew goes on as it is, and its status has `plugin.not_replaced`. Throws as
   * `activatePlugins` does, and `plugin.closed`; what ran goes on then, unchanged.
   */
  reload(asked: Reload = {}): Promise<DeactivationReport> {
    const done = (this.#reloading ?? Promise.resolve()).then(async () => {
      if (this.#ending !== undefined) throw pluginErrors.closed();
      const { plugins = this.#asked.plugins, policy = this.#asked.policy } = asked;
      const opened = await this.#open({ plugins, policy });
      const report = await this.#replace(opened, asked.before);
      this.#asked = { plugins, policy };
      tell(this.#env.log, opened, this.status);
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
  async #open(asked: Asked): Promise<Generation> {
    const found: FoundPlugins =
      typeof asked.plugins === "function" ? await asked.plugins() : { plugins: asked.plugins };
    const policy = asked.policy ?? found.policy ?? integrityOnly;
    const own = await readAll(found.plugins, policy);
    const all = [...own, ...(found.elsewhere ?? [])];
    const named = await this.#named?.read(all, this.#current.named);
    const sources = [...own, ...(named?.beside ?? [])];
    if (!this.#begun && sources.some(({ manifest }) => wantsRelay(manifest)))
      this.#relay ??= createRelay({ env: { ...platformEnv(), log: this.#env.log } });
    this.#begun = true;
    const plugins: ActivePlugin[] = [];
    const kept: SkippedPlugin[] = [];
    const skipped: SkippedPlugin[] = [];
    try {
      for (const read of sources) {
        const opened = await this.#openOne(read);
        if (opened instanceof ActivePlugin) {
          plugins.push(opened);
          continue;
        }
        const { plugin, error } = opened;
        const running = this.#current.plugins.find(({ manifest }) => manifest.id === plugin);
        if (running === undefined) {
          skipped.push(opened);
          continue;
        }
        plugins.push(running);
        kept.push({ plugin, error: activationErrors.notReplaced(plugin, error) });
      }
      return { plugins, kept, skipped, sources, named };
    } catch (error) {
      await closeAll(without(plugins, this.#current.plugins));
      throw error;
    }
  }

  async #openOne({ manifest, source, policy }: ReadPlugin): Promise<ActivePlugin | SkippedPlugin> {
    const { id, origin, startup } = manifest;
    try {
      if (this.#relay === undefined && wantsRelay(manifest)) throw activationErrors.noRelay(id);
      const prepared = await preparePlugin(manifest, source, policy);
      return await ActivePlugin.open(prepared, { env: this.#env, relay: this.#relay });
    } catch (error) {
      if (!TroupeError.is(error)) throw error;
      if (startup === "required") throw activationErrors.required(id, origin.file, error);
      return { plugin: id, error };
    }
  }

  /** What is in both generations isn't touched: its registrations, its calls and its events go on. */
  async #replace(next: Generation, alongside?: () => Promise<void>): Promise<DeactivationReport> {
    const coming = without(next.plugins, this.#current.plugins);
    const leaving = without(this.#current.plugins, next.plugins);
    try {
      if (alongside !== undefined) await alongside();
      swap(leaving, coming);
    } catch (error) {
      await closeAll(coming);
      throw error;
    }
    this.#current = next;
    const successors = new Map(coming.map((plugin) => [plugin.manifest.id, plugin]));
    await Promise.all(leaving.map((plugin) => plugin.drain(successors.get(plugin.manifest.id))));
    return { leftBehind: await closeAll(leaving) };
  }
}

/** How a deactivation, or a replacement, went. */
export interface DeactivationReport {
  /** Ids of plugins that something of still runs. */
  readonly leftBehind: readonly string[];
}

/** What a start or a reload did that nobody asked for. */
function tell(log: Logger, { kept, skipped }: Generation, status: readonly PluginStatus[]): void {
  for (const { plugin, error } of skipped) log.warn("an optional plugin was left out", { plugin, error });
  for (const { plugin, error } of kept) log.warn("a plugin wasn't replaced", { plugin, error });
  for (const { id, override } of status) warnOfOverride(log, id, override);
}

/** It may have middleware, or ask a relay something. */
function wantsRelay({ capabilities }: PluginManifest): boolean {
  return capabilities.some((capability) => capability !== "actors");
}

function without(plugins: readonly ActivePlugin[], others: readonly ActivePlugin[]): readonly ActivePlugin[] {
  return plugins.filter((plugin) => !others.includes(plugin));
}

/** In one turn. After a throw the registrations of `leaving` are there again. */
function swap(leaving: readonly ActivePlugin[], coming: readonly ActivePlugin[]): void {
  for (const plugin of leaving) plugin.deregister();
  try {
    for (const plugin of coming) plugin.register();
  } catch (error) {
    for (const plugin of coming) plugin.deregister();
    for (const plugin of leaving) plugin.register();
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

async function readAll(
  sources: readonly PluginSource[],
  policy: TrustPolicy,
): Promise<readonly ReadPlugin[]> {
  const read: ReadPlugin[] = [];
  for (const source of sources) {
    const manifest = await manifestOf(source, policy);
    const other = read.find((one) => one.manifest.id === manifest.id);
    if (other !== undefined)
      throw activationErrors.idTaken(manifest.id, [other.manifest.origin.file, manifest.origin.file]);
    read.push({ manifest, source, policy });
  }
  return read;
}
