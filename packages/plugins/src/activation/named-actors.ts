/**
 * The carriers of one definition whose plugin is named:
 *
 * - of the registry's own plugin, where it has one of that id;
 * - of one that is in force in the registry's relay since the start, where there is a relay and the plugin may have middleware;
 * - else of one that this source opens when the first actor is needed, for the definition alone.
 */
import type { ActorCarrier, CarrierRequest, CarrierSource } from "@troupe/runtime";
import { activationErrors, pluginErrors, runtimeErrors } from "../errors.ts";
import { warnOfOverride } from "./library-override.ts";
import { findPlugin, idOf, type PluginReference } from "./named-plugin.ts";
import { type NamedPlugin, NamedPlugins, type ReadPlugin } from "./named-plugins.ts";
import { openPlugin } from "./open-plugin.ts";
import { OpeningLog } from "./opening-log.ts";
import { PluginActors } from "./plugin-actors.ts";
import { manifestOf } from "./plugin-source.ts";
import { preparePlugin } from "./prepared-plugin.ts";

/** Which actor of which plugin. */
export interface NamedActor {
  readonly plugin: PluginReference;
  /** Undefined: the only one. */
  readonly actor: string | undefined;
  /** Undefined: as the plugin is configured elsewhere. */
  readonly config: unknown;
}

/** What gives out carriers, until it is closed. */
type Opened = Pick<NamedPlugin, "carrier" | "close">;

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
    return this.#ofTheRegistry() ?? this.#opened?.carrier(actor) ?? this.#first();
  }

  known(): ActorCarrier | Promise<ActorCarrier> {
    return this.carrier();
  }

  /** A plugin is more than its actors: one that may have middleware is in force before anything runs that it guards. */
  async check(): Promise<void> {
    const read = await this.#read().catch(() => undefined);
    // What is wrong with it is its first caller's to hear.
    if (read === undefined || this.#isOfTheRegistry(read.manifest.id)) return;
    const { relay, env } = this.#request;
    if (relay === undefined && bringsMiddleware(read))
      NamedPlugins.of(this.#request).tellUnguarded(read.manifest.id, env.log);
    if (relay !== undefined && mayGuard(read)) await this.#once(() => this.#open());
  }

  async close(): Promise<void> {
    this.#closed = true;
    const opened = this.#opened ?? (await this.#opening?.catch(() => undefined));
    await opened?.close();
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
    const opened = await this.#once(() => this.#openings.watch(env.log, name, () => this.#open()));
    return opened.carrier(this.#named.actor);
  }

  async #once(open: () => Promise<Opened>): Promise<Opened> {
    this.#opening ??= open().finally(() => {
      this.#opening = undefined;
    });
    return await this.#opening;
  }

  #isOfTheRegistry(id: string): boolean {
    return this.#request.plugins?.view?.().some((one) => one.id === id) === true;
  }

  async #read(): Promise<ReadPlugin> {
    const { plugin, config } = this.#named;
    const { source, policy } = await findPlugin(plugin);
    const configured = config === undefined ? source : { ...source, config };
    return { source: configured, policy, manifest: await manifestOf(source, policy) };
  }

  async #open(): Promise<Opened> {
    const read = await this.#read();
    const { manifest } = read;
    if (this.#request.onlyWasm === true && manifest.load.kind !== "wasm")
      throw runtimeErrors.refused(`Plugin ${manifest.id}, of the kind ${manifest.load.kind},`);
    const guards = this.#request.relay !== undefined && mayGuard(read) && !this.#isOfTheRegistry(manifest.id);
    const opened = guards
      ? await NamedPlugins.of(this.#request).use(read, this.#request)
      : await this.#openAlone(read);
    if (this.#closed) {
      await opened.close();
      throw pluginErrors.closed();
    }
    this.#opened = opened;
    return opened;
  }

  async #openAlone({ manifest, source, policy }: ReadPlugin): Promise<Opened> {
    const prepared = await preparePlugin(manifest, source, policy);
    const { id } = manifest;
    const { clock, timers, log } = this.#request.env;
    warnOfOverride(log, id, prepared.override);
    const session = await openPlugin(prepared, {
      env: { clock, timers, log: log.child({ plugin: id }) },
      relay: this.#request.relay,
    });
    const actors = new PluginActors(id, session);
    return { carrier: (actor) => actors.carrier(actor), close: async () => void (await session.close()) };
  }
}

/** It has what a relay would be guarded by, or tells. It declares nothing that its capabilities don't list. */
function mayGuard({ manifest }: ReadPlugin): boolean {
  return manifest.capabilities.includes("middleware");
}

/** As far as that is known before it runs. */
function bringsMiddleware({ source, manifest }: ReadPlugin): boolean {
  if ("plugin" in source) return (source.plugin.middleware?.length ?? 0) > 0;
  // A worker that is described in code says it when it runs, unless the description does.
  const said = "manifest" in source ? manifest.capabilities : (source.capabilities ?? []);
  return said.includes("middleware");
}
