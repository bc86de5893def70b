/**
 * The carriers of one definition whose plugin is named: those of the registry's own plugin where it has one of that id, else
 * of a plugin that this source opens when the first actor is needed, and ends with the registry.
 */
import type { ActorCarrier, CarrierRequest, CarrierSource } from "@troupe/runtime";
import { activationErrors, pluginErrors, runtimeErrors } from "../errors.ts";
import { warnOfOverride } from "./library-override.ts";
import { findPlugin, idOf, type PluginReference } from "./named-plugin.ts";
import { openPlugin } from "./open-plugin.ts";
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

interface Opened {
  readonly session: SupervisedSession;
  readonly actors: PluginActors;
}

/** One runtime's carriers of one definition. */
export class NamedActorCarriers implements CarrierSource {
  readonly #request: CarrierRequest;
  readonly #named: NamedActor;
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
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return (await this.#opening).actors.carrier(this.#named.actor);
  }

  async #open(): Promise<Opened> {
    const { plugin, config } = this.#named;
    const { source, policy } = await findPlugin(plugin);
    const manifest = await manifestOf(source, policy);
    if (this.#request.onlyWasm === true && manifest.load.kind !== "wasm")
      throw runtimeErrors.refused(`Plugin ${manifest.id}, of the kind ${manifest.load.kind},`);
    const configured = config === undefined ? source : { ...source, config };
    const prepared = await preparePlugin(manifest, configured, policy);
    const { id } = manifest;
    const { clock, timers, log } = this.#request.env;
    warnOfOverride(log, id, prepared.override);
    const session = await openPlugin(prepared, {
      env: { clock, timers, log: log.child({ plugin: id }) },
      relay: undefined,
    });
    if (this.#closed) {
      await session.close();
      throw pluginErrors.closed();
    }
    this.#opened = { session, actors: new PluginActors(id, session) };
    return this.#opened;
  }
}
