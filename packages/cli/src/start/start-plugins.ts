/**
 * The plugins of `troupe start`: those that the program gives its registry, and beside them those that are installed and
 * enabled, which are in force in whatever is started here, and those that the program's actors name. All of them are in one relay,
 * the registry's.
 *
 * An id that several have is the program's own, else the installed one's. A reload is one: when either can't be replaced neither is.
 */
import { type Env, TroupeError } from "@troupe/base";
import { pluginSet, type RegistryPlugins } from "@troupe/plugins";
import {
  enabledSources,
  type FoundPlugins,
  type InstalledPlugin,
  readInstalled,
  readPolicy,
} from "@troupe/plugins/installed";
import type { Scopes } from "@troupe/plugins/scopes";
import type { Relay } from "@troupe/relay";
import type { ActorCarrier, NamedPluginView, PluginNaming, PluginSet, PluginView } from "@troupe/runtime";
import { startErrors } from "../errors.ts";

/** What they are made of. */
export interface StartPluginsParts {
  /** Those of `setup({ plugins })`. They may be of another copy of the package. */
  readonly own: ReloadableSet | undefined;
  /** Undefined: installed plugins aren't activated. */
  readonly scopes: Scopes | undefined;
  /** The actors' code runs in other processes: what guards tools and models here guards none of theirs. */
  readonly hosts: boolean;
}

/** A set, as the commands see it. */
export interface ReloadableSet extends PluginSet {
  readonly reload?: () => Promise<void>;
  /** What was read of its plugins the last time. */
  readonly sources?: FoundPlugins["elsewhere"];
}

/** One registry's. */
export class StartPlugins implements PluginSet {
  readonly #parts: StartPluginsParts;
  /** Those that are installed, and those that are named. */
  #beside: RegistryPlugins | undefined;
  /** Of the installed ones, those that are to be in force, as they were found the last time. */
  #found: readonly InstalledPlugin[] = [];

  constructor(parts: StartPluginsParts) {
    this.#parts = parts;
  }

  get relay(): Relay | undefined {
    return this.#parts.own?.relay ?? this.#beside?.relay;
  }

  async start(env: Env, relay?: Relay, named?: readonly PluginNaming[]): Promise<void> {
    const { own } = this.#parts;
    await own?.start(env, relay);
    const given = relay ?? own?.relay;
    const beside = pluginSet({ plugins: () => this.#find() });
    try {
      await beside.start(env, given, named).catch((cause: unknown) => {
        throw this.#explained(cause);
      });
      this.#beside = beside;
      const unguarded = this.unguarded();
      if (unguarded !== undefined) throw unguarded;
    } catch (cause) {
      await this.stop();
      throw cause;
    }
  }

  async stop(): Promise<void> {
    const beside = this.#beside;
    this.#beside = undefined;
    await beside?.stop();
    await this.#parts.own?.stop();
  }

  failure(): string | undefined {
    return this.#parts.own?.failure() ?? this.#beside?.failure();
  }

  view(): readonly PluginView[] {
    return [...(this.#parts.own?.view?.() ?? []), ...(this.#beside?.view() ?? [])];
  }

  actor(plugin: string, actor: string | undefined, config?: unknown): ActorCarrier | undefined {
    const { own } = this.#parts;
    return own?.actor?.(plugin, actor, config) ?? this.#beside?.actor(plugin, actor, config);
  }

  named(naming: PluginNaming): NamedPluginView | undefined {
    return this.#beside?.named(naming);
  }

  /** False: there is none to reload. Throws what keeps one from being replaced; all go on as they are then. */
  async reload(): Promise<boolean> {
    const { own } = this.#parts;
    const had = this.view().length > 0;
    const before = async (): Promise<void> => await own?.reload?.();
    await (this.#beside?.reload({ before }) ?? before());
    return had || this.view().length > 0;
  }

  /** Throws `config.installed_unused` where the registry runs without them: it never asked for them. */
  async checkStarted(): Promise<void> {
    if (this.#beside !== undefined) return;
    const { plugins } = await this.#find();
    if (plugins.length > 0) throw startErrors.installedUnused(plugins.length);
  }

  /** The refusal of plugins that guard tools and models, where those run in other processes. Undefined: there are none. */
  unguarded(): TroupeError | undefined {
    if (!this.#parts.hosts) return undefined;
    const ids = this.view().map(({ id }) => id);
    const guards = ids.flatMap((id) =>
      this.#registrations(id).filter(({ kind }) => /^(tool|llm)_/.test(kind)),
    );
    if (guards.length === 0) return undefined;
    const names = guards.map(({ name }) => name);
    const installed = this.#found.filter(({ id }) => names.some((name) => name.startsWith(`${id}/`)));
    return startErrors.hostsUnguarded(
      names,
      installed.map(({ id }) => id),
    );
  }

  /** Those that nobody named: what is in force, and from whose list. Undefined: there is none. */
  banner(): string | undefined {
    const plugins = (this.#beside?.status ?? []).flatMap(({ id, version }) => {
      const found = this.#found.find((one) => one.id === id);
      return found === undefined ? [] : `${id} ${version} (${found.scope}: ${this.#brings(id)})`;
    });
    return plugins.length === 0 ? undefined : `installed plugins: ${plugins.join(", ")}`;
  }

  /** "2 guardrails, 1 subscriber". */
  #brings(id: string): string {
    const counts = new Map<string, number>();
    for (const { kind } of this.#registrations(id)) {
      const what = kind.slice(kind.lastIndexOf("_") + 1);
      counts.set(what, (counts.get(what) ?? 0) + 1);
    }
    const words = [...counts].map(([what, count]) => `${count} ${what}${count === 1 ? "" : "s"}`);
    return words.join(", ") || "actors";
  }

  #registrations(id: string): readonly { readonly kind: string; readonly name: string }[] {
    const all = this.relay?.listRuntimeRegistrations() ?? [];
    return all.filter(({ name }) => name.startsWith(`${id}/`));
  }

  #explained(cause: unknown): unknown {
    if (!TroupeError.is(cause)) return cause;
    const { plugin, file } = Object(cause.metadata);
    const failed = this.#found.find(({ id, manifest }) => id === plugin || manifest === file);
    return failed === undefined ? cause : startErrors.installedFailed(cause, failed);
  }

  async #find(): Promise<FoundPlugins> {
    const { own, scopes } = this.#parts;
    const elsewhere = own?.sources ?? [];
    const ids = own?.view?.().map(({ id }) => id) ?? [];
    if (scopes === undefined) return { plugins: [], elsewhere };
    const installed = await readInstalled(scopes);
    this.#found = installed.filter(({ id, enabled, shadowed }) => enabled && !shadowed && !ids.includes(id));
    return { plugins: enabledSources(this.#found), policy: await readPolicy(scopes), elsewhere };
  }
}
