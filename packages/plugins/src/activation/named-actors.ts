/**
 * The carriers of one definition whose plugin is named: those of the registry's own plugin where it has one of that id, else
 * of a plugin that this source opens when the first actor is needed, and ends with the registry.
 */
import type { ActorCarrier, CarrierRequest, CarrierSource } from "@troupe/runtime";
import { activationErrors, pluginErrors, runtimeErrors } from "../errors.ts";
import type { PluginManifest } from "../manifest/manifest.ts";
import { warnOfOverride } from "./library-override.ts";
import { type FoundPlugin, findPlugin, idOf, type PluginReference } from "./named-plugin.ts";
import { openPlugin } from "./open-plugin.ts";
import { OpeningLog } from "./opening-log.ts";
import { PluginActors } from "./plugin-actors.ts";
import { manifestOf } from "./plugin-source.ts";
import { preparePlugin } from "./prepared-plugin.ts";
import type { SupervisedSession } from "./supervised-session.ts";

/** Which actor of which plugin. */
export interface NamedActor {
  readonly plugin: PluginReference;
  /** Undefined: the only one. */
  readonly actor: string | undefined;
  /** Undefined: as the plugin is configured elsewhere. */
  readonly config: unknown;
}

interface ReadPlugin extends FoundPlugin {
  readonly manifest: PluginManifest;
}

interface Opened {
  readonly session: SupervisedSession;
  readonly actors: PluginActors;
}

/** One runtime's carriers of one definition. */
export class NamedActorCarriers implements CarrierSource {
  readonly #request: CarrierRequest;
  readonly #named: NamedActor;
  readonly #openings = new OpeningLog();
  #opened: Opened | undefined;
  /** One at a time; a failed one isn't kept. */
  #opening: Promise<Opened> | undefined;
  #closed = false;

  constructor(request: CarrierRequest, named: NamedActor) {
    this.#request = request;
    this.#named = named;
  }

  carrier(): ActorCarrier | Promise<ActorCarrier> {
    const { actor } = this.#named;
    return this.#ofTheRegistry() ?? this.#opened?.actors.carrier(actor) ?? this.#first();
  }

  known(): ActorCarrier | Promise<ActorCarrier> {
    return this.carrier();
  }

  /**
   * A plugin is more than its actors: one that may have middleware, and isn't the registry's, would leave its guardrails out. Where
   * there is a relay to guard that is refused, before anything runs; where there is none it is said.
   */
  async check(): Promise<void> {
    const read = await this.#read().catch(() => undefined);
    // What is wrong with it is its first caller's to hear.
    if (read === undefined || !bringsMiddleware(read)) return;
    const { id } = read.manifest;
    if (this.#isOfTheRegistry(id)) return;
    const refusal = activationErrors.notInForce(id);
    if (this.#request.relay !== undefined) throw refusal;
    const why = refusal.message;
    this.#request.env.log.warn("a plugin's middleware isn't in force", { plugin: id, why });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const opened = this.#opened ?? (await this.#opening?.catch(() => undefined));
    await opened?.session.close();
  }

  #ofTheRegistry(): ActorCarrier | undefined {
    const { plugin, actor, config } = this.#named;
    const id = idOf(plugin);
    if (id === undefined) return undefined;
    const carrier = this.#request.plugins?.actor?.(id, actor);
    if (carrier !== undefined && config !== undefined) throw activationErrors.configuredTwice(id);
    return carrier;
  }

  async #first(): Promise<ActorCarrier> {
    const { env, name } = this.#request;
    this.#opening ??= this.#openings
      .watch(env.log, name, () => this.#open())
      .finally(() => {
        this.#opening = undefined;
      });
    return (await this.#opening).actors.carrier(this.#named.actor);
  }

  #isOfTheRegistry(id: string): boolean {
    return this.#request.plugins?.view?.().some((one) => one.id === id) === true;
  }

  async #read(): Promise<ReadPlugin> {
    const { source, policy } = await findPlugin(this.#named.plugin);
    return { source, policy, manifest: await manifestOf(source, policy) };
  }

  async #open(): Promise<Opened> {
    const { config } = this.#named;
    const { source, policy, manifest } = await this.#read();
    if (this.#request.onlyWasm === true && manifest.load.kind !== "wasm")
      throw runtimeErrors.refused(`Plugin ${manifest.id}, of the kind ${manifest.load.kind},`);
    const configured = config === undefined ? source : { ...source, config };
    const prepared = await preparePlugin(manifest, configured, policy);
    const { id } = manifest;
    const { clock, timers, log } = this.#request.env;
    warnOfOverride(log, id, prepared.override);
    const session = await openPlugin(prepared, {
      env: { clock, timers, log: log.child({ plugin: id }) },
      relay: this.#request.relay,
    });
    const unguarded =
      this.#request.relay !== undefined &&
      session.current.declared.middleware.length > 0 &&
      !this.#isOfTheRegistry(id);
    if (this.#closed || unguarded) {
      await session.close();
      throw unguarded ? activationErrors.notInForce(id) : pluginErrors.closed();
    }
    this.#opened = { session, actors: new PluginActors(id, session) };
    return this.#opened;
  }
}

/** As far as that is known before it runs. */
function bringsMiddleware({ source, manifest }: ReadPlugin): boolean {
  if ("plugin" in source) return (source.plugin.middleware?.length ?? 0) > 0;
  // A worker that is described in code says it when it runs, unless the description does.
  const said = "manifest" in source ? manifest.capabilities : (source.capabilities ?? []);
  return said.includes("middleware");
}
