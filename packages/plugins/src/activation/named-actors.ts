/**
 * The carriers of one definition whose plugin is named:
 *
 * - of the plugin that runs with the registry, as one of its own or because it is named and may have middleware;
 * - else of one that this source opens when the first actor is needed, for the definition alone.
 */
import type { ActorCarrier, CarrierRequest, CarrierSource, NamedPluginView } from "@troupe/runtime";
import { pluginErrors, runtimeErrors } from "../errors.ts";
import { warnOfOverride } from "./library-override.ts";
import { namedErrors } from "./named-errors.ts";
import { idOf } from "./named-plugin.ts";
import { isRead, mayGuard, type Naming, readNamed } from "./named-plugins.ts";
import { openPlugin } from "./open-plugin.ts";
import { OpeningLog } from "./opening-log.ts";
import { PluginActors } from "./plugin-actors.ts";
import type { ReadPlugin } from "./plugin-source.ts";
import { preparePlugin } from "./prepared-plugin.ts";

/** Which actor of which plugin. */
export interface NamedActor {
  readonly naming: Naming;
  /** Undefined: the only one. */
  readonly actor: string | undefined;
}

/** A plugin that was opened for one definition. */
interface Alone {
  readonly actors: PluginActors;
  close(): Promise<void>;
}

/** One runtime's carriers of one definition. */
export class NamedActorCarriers implements CarrierSource {
  readonly #request: CarrierRequest;
  readonly #named: NamedActor;
  readonly #openings = new OpeningLog();
  #alone: Alone | undefined;
  /** One at a time; a failed one isn't kept. */
  #opening: Promise<void> | undefined;
  #closed = false;

  constructor(request: CarrierRequest, named: NamedActor) {
    this.#request = request;
    this.#named = named;
  }

  carrier(): ActorCarrier | Promise<ActorCarrier> {
    return this.#open() ?? this.#first();
  }

  known(): ActorCarrier | Promise<ActorCarrier> {
    return this.carrier();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#opening?.catch(() => {});
    await this.#alone?.close();
  }

  #open(): ActorCarrier | undefined {
    const { actor, naming } = this.#named;
    const { plugins } = this.#request;
    const found = this.#found;
    const id = found === undefined ? idOf(naming.plugin) : found.runs && found.id;
    const shared = id && plugins?.actor?.(id, actor, naming.config);
    return shared || this.#alone?.actors.carrier(actor);
  }

  /** As the registry's plugins have it since they were last loaded. Undefined: there are none, or they couldn't read it. */
  get #found(): NamedPluginView | undefined {
    return this.#request.plugins?.named?.(this.#named.naming);
  }

  async #first(): Promise<ActorCarrier> {
    const { env, name } = this.#request;
    this.#opening ??= this.#openings
      .watch(env.log, name, () => this.#find())
      .finally(() => {
        this.#opening = undefined;
      });
    await this.#opening;
    const carrier = this.#open();
    if (carrier === undefined) throw pluginErrors.closed();
    return carrier;
  }

  async #find(): Promise<void> {
    const found = this.#found;
    if (found?.runs) return;
    const read = isRead(found?.read) ? found.read : await readNamed(this.#named.naming);
    const { id, load } = read.manifest;
    const { plugins, onlyWasm } = this.#request;
    if (onlyWasm === true && load.kind !== "wasm")
      throw runtimeErrors.refused(`Plugin ${id}, of the kind ${load.kind},`);
    if (plugins !== undefined && mayGuard(read)) throw namedErrors.foundLate(id);
    const alone = await this.#openAlone(read);
    this.#alone = alone;
    if (this.#closed) throw pluginErrors.closed();
  }

  async #openAlone({ manifest, source, policy }: ReadPlugin): Promise<Alone> {
    const prepared = await preparePlugin(manifest, source, policy);
    const { id } = manifest;
    const { env, relay, plugins } = this.#request;
    const { clock, timers, log } = env;
    warnOfOverride(log, id, prepared.override);
    const session = await openPlugin(prepared, {
      env: { clock, timers, log: log.child({ plugin: id }) },
      relay,
    });
    // A host of an engine has no plugins but its actors': the engine has those that guard.
    if (plugins === undefined && session.current.declared.middleware.length > 0)
      log.warn("a plugin's middleware isn't in force", {
        plugin: id,
        why: namedErrors.notInForce(id).message,
      });
    return { actors: new PluginActors(id, session), close: async () => void (await session.close()) };
  }
}
