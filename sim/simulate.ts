/**
 * The simulator: the production runtime and the production client in a world that is made of one number.
 *
 * WHAT RUNS. `Runtime` with its host, gateway, gates, committer, claims and stores; `createClient` with its HTTP and
 * WebSocket transports. What is ours is what `Env`, the ports and the platform stand for: time, timers, randomness,
 * the disk under the committer, `fetch` and `WebSocket`. Nothing of the core knows that it is simulated.
 *
 * ONE MACROTASK AT A TIME. All processes share one scheduler. It runs one macrotask, drains the microtask queue, and
 * draws the next one from those that the real world could have run next. A run is a loop in one real macrotask, takes
 * some milliseconds, and depends on its seed alone: the same seed gives the same trace hash.
 *
 * DEATH. A process dies between two macrotasks or in the middle of one, at any of its calls to the outside: then it
 * runs on to the end of its turn, but nothing of that can be observed, and none of its tasks runs again. The disk falls
 * back to an image that a real one could have been left with. A new process with new objects starts over it.
 *
 * PHASES.  work: users do what they do, faults strike  →  calm: no more faults; every call must settle, every
 * connection must work, every schedule must run, every idle actor must sleep  →  stop: the server stops in good order.
 *
 * CHECKERS. Some look on all the time (durability at each byte that leaves; whole turns and alarms after each
 * transaction; generations at each commit; events at each listener), the others judge the history at the end.
 */
import { type Client, createClient } from "@troupe/client";
import { type CarriedWorld, carried } from "./actors/carried.ts";
import { actorNames, makeActors } from "./actors/ledger.ts";
import { plugged } from "./actors/plugged.ts";
import { HostMachine, remote } from "./actors/remote.ts";
import { Stage } from "./actors/stage.ts";
import { type Canary, type CanaryName, canaries } from "./canary.ts";
import { Durability } from "./checkers/durability.ts";
import { History } from "./checkers/history.ts";
import { Sayings } from "./checkers/said.ts";
import { judge } from "./checkers/verdict.ts";
import { Writers } from "./checkers/writers.ts";
import { SimDisk } from "./disk/disk.ts";
import { Network } from "./net/network.ts";
import { drawOptions, type Options } from "./options.ts";
import { Follower } from "./workload/follower.ts";
import { Talker } from "./workload/talker.ts";
import { type Address, User } from "./workload/user.ts";
import type { Counters } from "./world/counters.ts";
import { SimProcess } from "./world/process.ts";
import { Random } from "./world/random.ts";
import { SimServer } from "./world/server.ts";
import { Trace } from "./world/trace.ts";
import { type Violation, World } from "./world/world.ts";

/** How a seed is run. */
export interface RunOptions {
  readonly seed: number;
  readonly canary?: CanaryName | undefined;
  /** Gets each line of the trace. */
  readonly print?: ((line: string) => void) | undefined;
}

/** What came of a seed. */
export interface RunResult {
  readonly seed: number;
  readonly options: Options;
  readonly violation: Violation | undefined;
  readonly hash: string;
  readonly steps: number;
  readonly virtualMs: number;
  readonly counters: Counters;
}

/** Of one phase. The longest of a thousand runs takes an eighth of it; one that needs more goes round in circles. */
const MOST_STEPS = 50_000;
const WORK_LIMIT_MS = 3_600_000;
const SETTLE_LIMIT_MS = 1_800_000;

/** Runs one seed. Settles in a macrotask of its own: the run itself is one synchronous loop. */
export function simulate(run: RunOptions): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    // Out of any microtask: the loop drains the queue by itself.
    setImmediate(() => {
      const canary: Canary | undefined = run.canary === undefined ? undefined : canaries[run.canary];
      const mend = canary?.sabotage?.();
      const { stackTraceLimit } = Error;
      // Where an error came from is for who replays a seed; to note it for every error is a tenth of a run.
      if (run.print === undefined) Error.stackTraceLimit = 0;
      try {
        resolve(new Simulation(run, canary).run());
      } catch (error) {
        reject(error);
      } finally {
        Error.stackTraceLimit = stackTraceLimit;
        mend?.();
      }
    });
  });
}

/** One world, from its beginning to its verdict. */
class Simulation {
  readonly #seed: number;
  readonly #world: World;
  readonly #durability: Durability;
  readonly #history = new History();
  readonly #sayings = new Sayings();
  readonly #network: Network;
  readonly #server: SimServer;
  readonly #disk: SimDisk;
  readonly #addresses: readonly Address[];
  readonly #users: (User | Talker | Follower)[] = [];
  readonly #hosts: HostMachine[] = [];

  constructor(run: RunOptions, canary: Canary | undefined) {
    const random = new Random(run.seed);
    const options = drawOptions(random.fork());
    const world = new World(options, random.fork(), new Trace(run.print));
    this.#seed = run.seed;
    this.#world = world;
    this.#durability = new Durability(world);
    this.#network = new Network(world, this.#durability, canary?.network ?? {});
    this.#disk = new SimDisk(world, this.#durability);
    const stage = new Stage(
      world,
      { durability: this.#durability, sayings: this.#sayings },
      () => this.#server,
    );
    const process = () => this.#server.process;
    const use = makeActors(stage);
    this.#server = new SimServer({
      world,
      disk: this.#disk,
      network: this.#network,
      flaws: canary?.server ?? {},
      observer: new Writers(world),
      use: elsewhere(use, { world, process }),
      onLoad: (target) => stage.asked(target),
    });
    if (options.carried && !options.plugged)
      for (let host = 1; host <= options.remoteHosts; host += 1)
        this.#hosts.push(new HostMachine(world, `host${host}`, { use, server: () => this.#server }));
    this.#addresses = Array.from({ length: options.actors }, (_, index) => {
      const [ledger, hall, mill, loom, vault] = actorNames;
      if (world.random.chance(options.vaults)) return { name: vault, key: `k${index}` };
      const plain = world.random.chance(options.looms) ? loom : ledger;
      const other = world.random.chance(options.mills) ? mill : plain;
      return { name: world.random.chance(options.halls) ? hall : other, key: `k${index}` };
    });
  }

  run(): RunResult {
    const world = this.#world;
    const unhandled = (error: unknown): void => {
      world.fail("errors", `an unhandled rejection: ${error instanceof Error ? error.stack : String(error)}`);
    };
    process.on("unhandledRejection", unhandled);
    try {
      this.#work();
      if (world.violation === undefined) this.#settle();
      if (world.violation === undefined) this.#end();
      if (world.violation === undefined)
        judge({ world, history: this.#history, durability: this.#durability });
      if (world.violation === undefined) this.#sayings.judge(world, this.#durability);
    } finally {
      process.off("unhandledRejection", unhandled);
    }
    return {
      seed: this.#seed,
      options: world.options,
      violation: world.violation,
      hash: world.trace.hash,
      steps: world.scheduler.steps,
      virtualMs: world.now,
      counters: world.counters,
    };
  }

  /** Users at work, and what befalls them. */
  #work(): void {
    const world = this.#world;
    const { options } = world;
    this.#server.start();
    for (const host of this.#hosts) host.start();
    for (let client = 0; client < options.clients; client += 1) this.#addClient(client);
    const workMs = options.opsPerUser * (options.thinkMs + options.latencyMs * 4 + 5);
    for (let restart = 0; restart < options.restarts; restart += 1) {
      world.later(world.random.between(0, workMs), () => this.#server.stop());
    }
    for (let jump = 0; jump < options.clockJumps; jump += 1) {
      const byMs = world.random.pick([-1, 1]) * world.random.around(world.random.pick([10, 2_000, 60_000]));
      world.later(world.random.between(0, workMs), () => world.jumpClock(byMs));
    }
    let working = this.#users.length;
    for (const user of this.#users)
      this.#start(
        () => user.work(),
        () => (working -= 1),
      );
    this.#mustEnd("the users' work", () => working === 0, WORK_LIMIT_MS);
  }

  /** No more faults: what is wrong now stays wrong. */
  #settle(): void {
    const world = this.#world;
    world.faults.calm();
    this.#disk.bringBack();
    world.trace.say("world", "faults stop");
    let leaving = this.#users.length;
    for (const user of this.#users)
      this.#start(
        () => user.farewell(),
        () => (leaving -= 1),
      );
    this.#mustEnd("the users' farewell", () => leaving === 0, SETTLE_LIMIT_MS);
    this.#mustEnd("the last schedule", () => this.#nothingScheduled(), SETTLE_LIMIT_MS);
    this.#mustEnd("the last actor's sleep", () => this.#server.runtime?.host.size === 0, SETTLE_LIMIT_MS);
    this.#mustEnd("the last removal", () => this.#nothingToRemove(), SETTLE_LIMIT_MS);
    this.#mustEnd("the last socket", () => this.#network.openSockets === 0, SETTLE_LIMIT_MS);
    const pending = this.#history.pending[0];
    if (pending !== undefined) world.fail("liveness", `${pending.kind} ${pending.token} never settled`);
  }

  /** The server stops in good order, and nothing is left of it. */
  #end(): void {
    const life = this.#server.process;
    this.#server.retire();
    this.#mustEnd("the server's stop", () => life?.alive !== true, SETTLE_LIMIT_MS);
    this.#disk.open();
  }

  #nothingScheduled(): boolean {
    return this.#server.serving && this.#disk.image.alarms(Infinity, 1).length === 0;
  }

  #nothingToRemove(): boolean {
    return this.#durability.unremoved(this.#disk.image).length === 0;
  }

  #addClient(number: number): void {
    const world = this.#world;
    const machine = new SimProcess(`client${number}`, world);
    const client = this.#client(machine);
    for (let index = 0; index < world.options.usersPerClient; index += 1) {
      if (this.#followed !== undefined && world.random.chance(world.options.followers))
        this.#addFollower(this.#followed, `follower${number}.${index}`);
      if (world.random.chance(world.options.talkers)) this.#addTalker(machine, `talker${number}.${index}`);
      this.#users.push(
        new User({
          world,
          process: machine,
          client,
          history: this.#history,
          durability: this.#durability,
          addresses: this.#addresses,
          name: `user${number}.${index}`,
          connected: world.random.chance(world.options.connected),
        }),
      );
    }
  }

  /** A session that ends with its actor would be another one behind it. */
  get #followed(): Address | undefined {
    const { options } = this.#world;
    if (options.followers === 0 || options.mix.die > 0) return undefined;
    return this.#addresses.find(({ name }) => name === "vault");
  }

  /** On a machine of its own, whose links it may lose. */
  #addFollower(address: Address, name: string): void {
    const world = this.#world;
    const process = new SimProcess(name, world);
    const client = this.#client(process);
    const checkers = { history: this.#history, durability: this.#durability };
    const cut = () => this.#network.cut(process);
    this.#users.push(new Follower({ world, name, process, client, cut, address, ...checkers }));
  }

  #client(machine: SimProcess): Client {
    return createClient({
      endpoint: "http://127.0.0.1:6420",
      encoding: this.#world.random.pick(["json", "cbor"]),
      env: {
        ...machine.env,
        fetch: this.#network.fetchOf(machine),
        WebSocket: this.#network.webSocketOf(machine),
      },
    });
  }

  #addTalker(process: SimProcess, name: string): void {
    const world = this.#world;
    const address = world.random.pick(this.#addresses);
    const checkers = { history: this.#history, durability: this.#durability, sayings: this.#sayings };
    this.#users.push(new Talker({ world, process, network: this.#network, address, name, ...checkers }));
  }

  #start(work: () => Promise<void>, done: () => void): void {
    work().then(done, (error: unknown) => {
      this.#world.fail("simulator", error instanceof Error ? (error.stack ?? error.message) : String(error));
    });
  }

  #mustEnd(what: string, done: () => boolean, limitMs: number): void {
    const world = this.#world;
    if (world.run(done, limitMs, MOST_STEPS) || world.violation !== undefined) return;
    const reports = [...this.#history.pending].map(({ kind, token, via }) => `${kind} ${token} ${via}`);
    world.fail("liveness", `${what} doesn't end; pending: ${reports.join(", ") || "nothing"}`);
  }
}

/** The actors, or what stands for them where their code is elsewhere. */
function elsewhere(use: ReturnType<typeof makeActors>, where: CarriedWorld): ReturnType<typeof makeActors> {
  const { carried: away, plugged: pluginHas, remoteHosts } = where.world.options;
  if (!away) return use;
  if (pluginHas) return plugged(use, where);
  return remoteHosts > 0 ? remote(use) : carried(use, where);
}
