/**
 * The actors of a world whose code is on remote hosts: processes of their own, that lose their links, die and come again.
 */
import { type AnyActorDefinition, remoteActor } from "@troupe/runtime";
import { HostClient } from "../../packages/runtime/src/remote/host-client.ts";
import { hostLink } from "../net/host-link.ts";
import { SimProcess } from "../world/process.ts";
import type { SimServer } from "../world/server.ts";
import type { World } from "../world/world.ts";

/** What hosts show the engine. */
export const HOST_TOKEN = "hosts";

/** The same names, for the engine. */
export function remote<U extends Readonly<Record<string, AnyActorDefinition>>>(use: U): U {
  const entries = Object.entries(use).map(([name, { behaviour }]) => {
    const database = behaviour.kind === "local" && behaviour.database !== undefined;
    return [name, remoteActor({ database })];
  });
  // The same names, and behind each the same actor.
  return Object.fromEntries(entries) as U;
}

/** One machine that runs remote hosts, one after the other. */
export class HostMachine {
  readonly #world: World;
  readonly #server: () => SimServer;
  readonly #use: Readonly<Record<string, AnyActorDefinition>>;
  readonly #name: string;
  #life = 0;

  constructor(
    world: World,
    name: string,
    of: { readonly server: () => SimServer; readonly use: Readonly<Record<string, AnyActorDefinition>> },
  ) {
    this.#world = world;
    this.#name = name;
    this.#server = of.server;
    this.#use = of.use;
  }

  start(): void {
    const world = this.#world;
    this.#life += 1;
    const process = new SimProcess(`${this.#name}.${this.#life}`, world);
    world.trace.say(process.name, "starts");
    process.enter(() => {
      const client = new HostClient({
        env: process.env,
        use: this.#use,
        token: HOST_TOKEN,
        pool: "default",
        dial: () => this.#dial(process),
      });
      this.#mayDie(process, client);
    });
  }

  async #dial(process: SimProcess): Promise<ReturnType<typeof hostLink>[0]> {
    const world = this.#world;
    await process.sleep(world.random.around(world.options.latencyMs));
    const server = this.#server();
    const engine = server.process;
    if (engine === undefined || server.runtime === undefined || !server.serving)
      throw new Error("connection refused");
    const [near, far] = hostLink(world, process, engine);
    // The door may be closed by then.
    engine.enter(() => server.runtime?.hosts.accept(far));
    return near;
  }

  /** It is killed some time, or ends in good order, and starts again. */
  #mayDie(process: SimProcess, client: HostClient): void {
    const world = this.#world;
    if (!world.faults.strikes(world.options.loseCarrier)) return;
    process.later(world.random.around(2_000), () => {
      if (!world.faults.strikes(1)) return;
      world.counters.add("a host died");
      if (world.random.chance(0.3)) client.close();
      process.kill();
      world.later(world.random.around(world.options.downMs), () => this.start());
    });
  }
}
