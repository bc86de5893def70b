/** `pluginSet({ plugins, relay })`: plugins that start and end with a registry, for `setup({ plugins })`. */
import type { Env, TroupeError } from "@troupe/base";
import type { Relay } from "@troupe/relay";
import type { ActorCarrier, NamedPluginView, PluginNaming, PluginSet, PluginView } from "@troupe/runtime";
import {
  type ActivateOptions,
  type ActivePlugins,
  activatePlugins,
  type Reload,
  type SkippedPlugin,
} from "./activation/activate-plugins.ts";
import type { PluginStatus } from "./activation/active-plugin.ts";
import { NamedPlugins } from "./activation/named-plugins.ts";
import type { ReadPlugin } from "./activation/plugin-source.ts";
import { activationErrors } from "./errors.ts";

/** What `pluginSet` takes. */
export type PluginSetOptions = Pick<ActivateOptions, "plugins" | "policy"> & {
  /** Default: that of `setup({ relay })`; without it one of the set's own, which is the registry's then. */
  readonly relay?: Relay;
};

/**
 * Plugins for a registry: these, or with `plugins: installedPlugins` those that are installed and enabled.
 *
 * ```ts
 * const plugins = pluginSet({ plugins: [{ manifest: "./no-rm/troupe-plugin.toml" }] });
 * const registry = setup({ use: { counter }, plugins });
 * await registry.start();
 * process.on("SIGHUP", () => void plugins.reload());
 * ```
 *
 * Their middleware is in the registry's relay, which all of its actors run under.
 *
 * When a required one can't be started, the registry doesn't start, and nothing is left of the others.
 */
export function pluginSet(options: PluginSetOptions): RegistryPlugins {
  return new RegistryPlugins(options);
}

/** Plugins of a registry. `pluginSet` makes it. */
export class RegistryPlugins implements PluginSet {
  readonly #options: PluginSetOptions;
  #active: ActivePlugins | undefined;

  constructor(options: PluginSetOptions) {
    this.#options = options;
  }

  /** How each of them is; none before the start and after the stop. */
  get status(): readonly PluginStatus[] {
    return this.#active?.status ?? [];
  }

  /** Optional plugins that were left out. */
  get skipped(): readonly SkippedPlugin[] {
    return this.#active?.skipped ?? [];
  }

  get relay(): Relay | undefined {
    return this.#options.relay ?? this.#active?.relay;
  }

  async start(env: Env, relay?: Relay, named: readonly PluginNaming[] = []): Promise<void> {
    const options = { ...this.#options, relay: this.#options.relay ?? relay, env };
    this.#active = await activatePlugins(options, new NamedPlugins(named, env.log));
  }

  async stop(): Promise<void> {
    const active = this.#active;
    this.#active = undefined;
    await active?.deactivate();
  }

  failure(): string | undefined {
    const gone = this.status.some(({ startup, state }) => startup === "required" && state !== "active");
    return gone ? "plugin.lost" : undefined;
  }

  view(): readonly PluginView[] {
    return [...this.status.map(viewOf), ...this.skipped.map(leftOut)];
  }

  actor(plugin: string, actor: string | undefined, config?: unknown): ActorCarrier | undefined {
    const out = this.skipped.find((one) => one.plugin === plugin);
    if (out !== undefined) throw activationErrors.leftOut(plugin, out.error);
    const carrier = this.#active?.actorsOf(plugin)?.carrier(actor);
    if (carrier !== undefined && config !== undefined && !this.#isNamed(plugin))
      throw activationErrors.configuredTwice(plugin);
    return carrier;
  }

  named(naming: PluginNaming): NamedPluginView | undefined {
    return this.#active?.named?.found.get(naming);
  }

  /** What was read of them the last time. */
  get sources(): readonly ReadPlugin[] {
    return this.#active?.sources ?? [];
  }

  /** It runs because it is named, and isn't one of the registry's own. */
  #isNamed(id: string): boolean {
    return this.#active?.named?.beside.some(({ manifest }) => manifest.id === id) === true;
  }

  /**
   * Puts other plugins, or the same ones read anew, in the place of those that run. An optional one that runs and can't be
   * started anew goes on as it is, and that is told of. Throws what keeps a required one from starting; what ran goes on then.
   */
  async reload(asked: Reload = {}): Promise<void> {
    if (this.#active === undefined) throw activationErrors.notStarted();
    await this.#active.reload(asked);
  }
}

const states = { active: "running", restarting: "degraded", lost: "disabled" } as const;

function viewOf({ id, version, kind, state, error, ...counted }: PluginStatus): PluginView {
  const { calls, failures, crashes, restarts } = counted;
  return {
    ...{ id, version, carrier: kind, state: states[state], calls, failures, crashes, restarts },
    error: error === undefined ? null : told(error),
  };
}

function leftOut({ plugin, error }: SkippedPlugin): PluginView {
  const never = { version: null, carrier: null, calls: 0, failures: 0, crashes: 0, restarts: 0 };
  return { id: plugin, state: "disabled", ...never, error: told(error) };
}

function told({ group, code, message }: TroupeError): PluginView["error"] {
  return { code: `${group}.${code}`, message };
}
