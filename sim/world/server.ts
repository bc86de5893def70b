/**
 * SimServer: the machine with the server on it, over all its lives.
 *
 *   down ──start──▶ opening ──runtime.start() done──▶ serving ──killed, or stopped in good order──▶ down
 *
 * Each life is a new process with new objects of every class; only the disk goes from one to the next.
 */

import type { AnyActorDefinition } from "@troupe/runtime";
import type { Target } from "../../packages/runtime/src/host/actor-host.ts";
import { Runtime } from "../../packages/runtime/src/registry/runtime.ts";
import { HOST_TOKEN } from "../actors/remote.ts";
import type { SimDisk } from "../disk/disk.ts";
import type { FileObserver } from "../disk/file.ts";
import { SimStore, type SimStoreParts } from "../disk/store.ts";
import type { Network } from "../net/network.ts";
import { SimProcess } from "./process.ts";
import type { World } from "./world.ts";

/** What a server is made of. */
export interface ServerParts {
  readonly world: World;
  readonly disk: SimDisk;
  readonly network: Network;
  readonly flaws: SimStoreParts["flaws"];
  readonly observer: FileObserver;
  readonly use: Readonly<Record<string, AnyActorDefinition>>;
  /** Somebody asks for an actor. */
  readonly onLoad: (target: Target) => void;
}

/** The server's machine. */
export class SimServer {
  readonly #parts: ServerParts;
  #process: SimProcess | undefined;
  #runtime: Runtime | undefined;
  #store: SimStore | undefined;
  #stopping: "no" | "asked" | "stopped" = "no";
  #life = 0;
  #wanted = true;

  constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  /** The process that runs now, or the last one. */
  get process(): SimProcess | undefined {
    return this.#process;
  }

  get runtime(): Runtime | undefined {
    return this.#process?.alive === true ? this.#runtime : undefined;
  }

  get serving(): boolean {
    return this.#parts.network.door !== undefined;
  }

  start(): void {
    const { world, disk, network } = this.#parts;
    if (this.#process?.alive === true || !this.#wanted) return;
    this.#life += 1;
    const process = new SimProcess(`server${this.#life}`, world);
    this.#process = process;
    this.#stopping = "no";
    world.trace.say(process.name, "starts");
    process.onDeath(() => this.#died(process));
    world.faults.watch(process);
    network.machine = "up";
    if (!world.faults.isCalm) disk.moveFile();
    process.enter(() => {
      const overdue = disk.image.alarms(world.wallNow(), 1).length > 0;
      if (overdue) world.counters.add("overdue alarm at start");
      void this.#serve(process);
    });
  }

  /** SIGTERM: drains, gives the disk back, and ends. */
  stop(): void {
    const process = this.#process;
    const runtime = this.runtime;
    if (process === undefined || runtime === undefined || !this.serving || this.#stopping !== "no") return;
    this.#stopping = "asked";
    this.#parts.world.trace.say(process.name, "is asked to stop");
    process.enter(() => void this.#drain(process, runtime));
  }

  /** Stops for good. */
  retire(): void {
    this.#wanted = false;
    this.stop();
  }

  async #serve(process: SimProcess): Promise<void> {
    const { disk, flaws, observer, use, network, world } = this.#parts;
    const store = new SimStore({
      process,
      disk,
      flaws,
      observer,
      // What the production platform does: say so and exit, at once.
      onFatal: () => process.kill(),
    });
    const runtime = new Runtime({
      env: process.env,
      directory: store,
      storage: store,
      use,
      access: {},
      hosts: { token: HOST_TOKEN },
      maxAwakeActors: world.options.maxAwake,
    });
    this.#store = store;
    this.#runtime = runtime;
    this.#watchLoads(runtime);
    countResumed(runtime, world);
    await runtime.start();
    if (!process.alive) return;
    network.door = { process, gateway: runtime.gateway };
    world.trace.say(process.name, "serves");
  }

  #watchLoads({ host }: Runtime): void {
    const load = host.load.bind(host);
    host.load = (target) => {
      this.#parts.onLoad(target);
      return load(target);
    };
  }

  async #drain(process: SimProcess, runtime: Runtime): Promise<void> {
    const { network, world } = this.#parts;
    runtime.gateway.unready();
    network.door = undefined;
    await runtime.stop();
    await this.#store?.close();
    // While faults strike, code of an actor's own may be left behind; in the calm there is none.
    // Code whose carrier was lost lives on here with its timers, where in truth its process is gone.
    const left = world.counters.get("a carrier was lost") === 0 ? process.timersSet : 0;
    if (world.faults.isCalm && left > 0) {
      world.fail("liveness", `${left} timers are left behind a stop`);
    }
    // The last bytes leave the socket buffers before the process is gone.
    await process.sleep(1);
    if (!process.alive) return;
    world.counters.add("a restart in good order");
    world.trace.say(process.name, "has stopped in good order");
    this.#stopping = "stopped";
    process.kill();
  }

  #died(process: SimProcess): void {
    const { world, disk, network } = this.#parts;
    const power = this.#stopping !== "stopped" && world.random.chance(world.options.power) ? "cut" : "kept";
    world.trace.say(process.name, power === "cut" ? "dies, and the power with it" : "is gone");
    network.serverDied(power);
    disk.crash(power);
    world.later(world.random.around(world.options.downMs), () => this.start());
  }
}

/** A host's session goes on over another link. */
function countResumed({ hosts }: Runtime, world: World): void {
  hosts.onResumed = () => world.counters.add("a host's session was resumed");
}
