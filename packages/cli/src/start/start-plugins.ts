/**
 * The plugins of `troupe start`: those that the program gives its registry, and beside them those that are installed and
 * enabled, which are in force in whatever is started here. All of them are in one relay, the registry's.
 *
 * An id that both have is the program's own. A reload is one: when either can't be replaced neither is.
 */
import type { Env } from "@troupe/base";
import {
  enabledSources,
  type FoundPlugins,
  type PluginSource,
  pluginSet,
  type RegistryPlugins,
  readInstalled,
  readPolicy,
  type Scopes,
} from "@troupe/plugins";
import type { Relay } from "@troupe/relay";
import type { ActorCarrier, PluginSet, PluginView } from "@troupe/runtime";
import { startErrors } from "../errors.ts";

/** What they are made of. */
export interface StartPluginsParts {
  /** Those of `setup({ plugins })`. They may be of another copy of the package. */
  readonly own: ReloadableSet | undefined;
  readonly scopes: Scopes;
  /** The actors' code runs in other processes: what guards tools and models here guards none of theirs. */
  readonly hosts: boolean;
}

/** A set, as the commands see it. */
export interface ReloadableSet extends PluginSet {
  readonly reload?: () => Promise<void>;
}

/** One registry's. */
export class StartPlugins implements PluginSet {
  readonly #parts: StartPluginsParts;
  #installed: RegistryPlugins | undefined;

  constructor(parts: StartPluginsParts) {
    this.#parts = parts;
  }

  get relay(): Relay | undefined {
    return this.#parts.own?.relay ?? this.#installed?.relay;
  }

  async start(env: Env, relay?: Relay): Promise<void> {
    const { own } = this.#parts;
    await own?.start(env, relay);
    const given = relay ?? own?.relay;
    const installed = pluginSet({ plugins: () => this.#beside(), ...(given && { relay: given }) });
    try {
      await installed.start(env);
      this.#installed = installed;
      const unseen = this.unseen();
      if (unseen.length > 0) throw startErrors.hostsUnguarded(unseen);
    } catch (cause) {
      await this.stop();
      throw cause;
    }
  }

  async stop(): Promise<void> {
    const installed = this.#installed;
    this.#installed = undefined;
    await installed?.stop();
    await this.#parts.own?.stop();
  }

  failure(): string | undefined {
    return this.#parts.own?.failure() ?? this.#installed?.failure();
  }

  view(): readonly PluginView[] {
    return [...(this.#parts.own?.view?.() ?? []), ...(this.#installed?.view() ?? [])];
  }

  actor(plugin: string, actor: string | undefined): ActorCarrier | undefined {
    return this.#parts.own?.actor?.(plugin, actor) ?? this.#installed?.actor(plugin, actor);
  }

  /** False: there is none to reload. Throws what keeps one from being replaced; all go on as they are then. */
  async reload(): Promise<boolean> {
    const { own } = this.#parts;
    const had = this.view().length > 0;
    const before = async (): Promise<void> => await own?.reload?.();
    await (this.#installed?.reload({ before }) ?? before());
    return had || this.view().length > 0;
  }

  /** Throws `config.installed_unused` where the registry runs without them: it never asked for them. */
  async checkStarted(): Promise<void> {
    if (this.#installed !== undefined) return;
    const { plugins } = await this.#beside();
    if (plugins.length > 0) throw startErrors.installedUnused(plugins.length);
  }

  /** Names of what plugins guard tools and models with, where those run in other processes. */
  unseen(): readonly string[] {
    const { relay } = this;
    if (!this.#parts.hosts || relay === undefined) return [];
    const ids = this.view().map(({ id }) => id);
    return relay
      .listRuntimeRegistrations()
      .filter(({ kind, name }) => /^(tool|llm)_/.test(kind) && ids.some((id) => name.startsWith(`${id}/`)))
      .map(({ name }) => name);
  }

  async #beside(): Promise<FoundPlugins> {
    const { own, scopes } = this.#parts;
    const taken = new Set(own?.view?.().map(({ id }) => id));
    const installed = (await readInstalled(scopes)).filter(({ id }) => !taken.has(id));
    const plugins: readonly PluginSource[] = enabledSources(installed);
    return { plugins, policy: await readPolicy(scopes) };
  }
}
