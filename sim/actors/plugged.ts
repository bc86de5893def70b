/**
 * The actors of a world whose code is a plugin's: one plugin that has all of them, in a process that falls ill.
 *
 * The session, its supervision and what gives out its actors are the production ones. Who runs the server starts the plugin
 * again by hand, some time after it was given up.
 */
import type { TimerHandle } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { type AnyActorDefinition, carriedActorFrom } from "@troupe/runtime";
import { PluginActors } from "../../packages/plugins/src/activation/plugin-actors.ts";
import { SupervisedSession } from "../../packages/plugins/src/activation/supervised-session.ts";
import { openSession } from "../../packages/plugins/src/session/open-session.ts";
import type { PluginSession } from "../../packages/plugins/src/session/session.ts";
import type { ActorCarrier, CarrierSource } from "../../packages/runtime/src/ports/carried.ts";
import { PluginLink } from "../plugin/plugin-link.ts";
import type { SimProcess } from "../world/process.ts";
import type { World } from "../world/world.ts";
import type { CarriedWorld } from "./carried.ts";

/** The same names, and behind each the plugin's actor. */
export function plugged<U extends Readonly<Record<string, AnyActorDefinition>>>(
  use: U,
  where: CarriedWorld,
): U {
  const plugins = new WeakMap<SimProcess, ServersPlugin>();
  const pluginOf = (): ServersPlugin => {
    const host = where.process();
    if (host === undefined) throw new RangeError("nothing runs where no server is");
    let plugin = plugins.get(host);
    if (plugin === undefined) {
      plugin = new ServersPlugin(where.world, host, use);
      plugins.set(host, plugin);
    }
    return plugin;
  };
  const { statementMs } = where.world.options;
  const entries = Object.keys(use).map((name) => {
    const database = name === "vault";
    const terms = database ? ({ needs: ["database"], sqlTimeLimitMs: statementMs } as const) : undefined;
    return [name, carriedActorFrom(() => sourceOf(pluginOf(), name), terms)];
  });
  // The same names, and behind each the same actor.
  return Object.fromEntries(entries) as U;
}

function sourceOf(plugin: ServersPlugin, name: string): CarrierSource {
  return {
    carrier: () => plugin.carrier(name),
    known: () => plugin.carrier(name),
    close: () => plugin.close(),
  };
}

interface Opened {
  readonly session: SupervisedSession;
  readonly actors: PluginActors;
}

/** The plugin of one life of the server. */
class ServersPlugin {
  readonly #world: World;
  readonly #host: SimProcess;
  readonly #use: Readonly<Record<string, AnyActorDefinition>>;
  #opened: Opened | undefined;
  /** One at a time; a failed one isn't kept. */
  #opening: Promise<Opened> | undefined;
  #closed = false;
  /** Somebody will start it again. */
  #byHand: TimerHandle | undefined;
  /** The one that was given up, which may hang. */
  #leaving: Promise<unknown> | undefined;
  #sessions = 0;

  constructor(world: World, host: SimProcess, use: Readonly<Record<string, AnyActorDefinition>>) {
    this.#world = world;
    this.#host = host;
    this.#use = use;
  }

  carrier(name: string): ActorCarrier | Promise<ActorCarrier> {
    const opened = this.#opened;
    if (opened?.session.state === "lost") this.#startAgain(opened);
    return opened?.actors.carrier(name) ?? this.#first(name);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#byHand !== undefined) this.#host.env.timers.clear(this.#byHand);
    const opened = this.#opened ?? (await this.#opening?.catch(() => undefined));
    await Promise.all([opened?.session.close(), this.#leaving]);
  }

  async #first(name: string): Promise<ActorCarrier> {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return (await this.#opening).actors.carrier(name);
  }

  async #open(): Promise<Opened> {
    const { env } = this.#host;
    const session = new SupervisedSession(await this.#session(), {
      env,
      reopen: async () => {
        const next = await this.#session();
        this.#world.counters.add("a plugin was started again");
        return next;
      },
    });
    this.#opened = { session, actors: new PluginActors("simulated", session) };
    if (this.#closed) await session.close();
    return this.#opened;
  }

  #session(): Promise<PluginSession> {
    this.#sessions += 1;
    const [world, host] = [this.#world, this.#host];
    const name = `${host.name}.plugin${this.#sessions}`;
    return openSession({
      env: host.env,
      open: async (events) => new PluginLink({ world, host, name, use: this.#use }, events),
      hostVersion: "0.0.0",
    });
  }

  /** By hand: after a while, and once. In the calm at once, or those who ask again and again would use up all steps. */
  #startAgain(given: Opened): void {
    if (this.#byHand === undefined) this.#world.counters.add("a plugin was given up");
    const { timers } = this.#host.env;
    if (this.#byHand !== undefined) {
      if (!this.#world.faults.isCalm) return;
      timers.clear(this.#byHand);
    }
    const waitMs = this.#world.faults.isCalm ? 1 : limits.pluginRestartMostMs;
    this.#byHand = timers.set(() => {
      this.#byHand = undefined;
      if (this.#opened !== given || this.#closed) return;
      this.#opened = undefined;
      this.#leaving = given.session.close();
    }, waitMs);
  }
}
