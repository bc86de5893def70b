/**
 * PluginLink: a carrier to a plugin's process, both ends of it, with all that can be wrong with one.
 *
 * Frames are encoded and keep their order each way, whatever their delays. The bytes of a frame are the carrier's, and
 * overwritten when it has been heard, as those of a native plugin are.
 */
import type { TroupeError } from "@troupe/base";
import {
  type HostFrame,
  HostFrameCodec,
  type PluginFrame,
  PluginFrameCodec,
} from "@troupe/protocol/plugin/v1";
import type { AnyActorDefinition } from "@troupe/runtime";
import type { Carrier, CarrierEvents, CloseReport } from "../../packages/plugins/src/carrier.ts";
import { workerErrors } from "../../packages/plugins/src/carriers/worker/errors.ts";
import { pluginErrors } from "../../packages/plugins/src/errors.ts";
import { forCallers } from "../../packages/plugins/src/inner-error.ts";
import type { CounterName } from "../world/counters.ts";
import type { FifoLane } from "../world/lane.ts";
import type { SimProcess } from "../world/process.ts";
import type { World } from "../world/world.ts";
import { drawIllness, type Illness } from "./ills.ts";
import { PluginProcess } from "./plugin-process.ts";

/** What a link is made of. */
export interface PluginLinkParts {
  readonly world: World;
  /** The server's process. */
  readonly host: SimProcess;
  /** Of the plugin's process. */
  readonly name: string;
  readonly use: Readonly<Record<string, AnyActorDefinition>>;
}

/** What is answered: what one side asked the other for, and must not take twice. */
const answers: ReadonlySet<string> = new Set(["reply", "started", "stopped", "connected"]);

/** A carrier, and the plugin at its other end. */
export class PluginLink implements Carrier {
  readonly #parts: PluginLinkParts;
  readonly #events: CarrierEvents;
  readonly #illness: Illness;
  readonly #plugin: PluginProcess;
  readonly #toHost: FifoLane;
  readonly #toPlugin: FifoLane;
  readonly #closed = Promise.withResolvers<CloseReport>();
  #frames = 0;
  #brokeOut = false;
  #over = false;
  #closing = false;

  constructor(parts: PluginLinkParts, events: CarrierEvents) {
    const { world, host, name, use } = parts;
    this.#parts = parts;
    this.#events = events;
    this.#illness = drawIllness(world);
    const mute = this.#illness.ill === "never gets ready";
    this.#plugin = new PluginProcess({ world, name, use, mute, say: (frame) => this.#say(frame) });
    this.#toHost = host.lane("plugin link");
    this.#toPlugin = this.#plugin.machine.lane("plugin link");
    // With the host its plugins end.
    host.onDeath(() => this.#plugin.kill());
    if (mute) this.#breakOut("a plugin didn't start");
  }

  send(frame: HostFrame): void {
    if (this.#over || this.#closing) return;
    const bytes = HostFrameCodec.encode(frame);
    const lateMs = this.#isIll("is slow of hearing") ? this.#lateness() : 0;
    this.#toPlugin.add(this.#now + this.#latency() + lateMs, () =>
      this.#plugin.heard(HostFrameCodec.decode(bytes)),
    );
  }

  /** A process that hangs is killed when its time is over. */
  close(timeoutMs: number): Promise<CloseReport> {
    if (this.#closing) return this.#closed.promise;
    this.#closing = true;
    const { world, host } = this.#parts;
    const { hangs } = this.#illness;
    if (hangs) this.#count("a plugin hung at its end");
    const lastsMs = hangs ? timeoutMs : Math.min(timeoutMs, world.random.around(world.options.latencyMs));
    host.later(lastsMs, () => {
      this.#plugin.kill();
      this.#closed.resolve({ clean: true });
      this.#end(undefined);
    });
    return this.#closed.promise;
  }

  #say(frame: PluginFrame): void {
    if (!this.#plugin.machine.alive) return;
    this.#frames += 1;
    const saying = frame.body?.$case === "actor" ? (frame.body.value.body?.$case ?? "") : "";
    const isAnswer = answers.has(saying);
    const bytes = PluginFrameCodec.encode(frame);
    if (this.#isIll("crashes")) return this.#crash(bytes);
    if (this.#isIll("breaks off in a frame")) return this.#corrupt(bytes.slice(0, -1));
    if (this.#isIll("makes up an instance")) return this.#corrupt(madeUp());
    if (this.#isIll("greets twice")) return this.#corrupt(failed());
    if (saying === "reply" && this.#isIll("swallows answers") && this.#parts.world.random.chance(0.5))
      return this.#breakOut("a plugin never answered");
    this.#deliver(bytes, this.#isIll("is late") ? this.#lateness() : 0);
    if (isAnswer && this.#isIll("says it twice")) this.#repeat(frame);
  }

  /** Some time behind the first: what comes before it has been heard. */
  #repeat(frame: PluginFrame): void {
    const { world, host } = this.#parts;
    this.#breakOut("a plugin answered twice");
    const bytes = PluginFrameCodec.encode(frame);
    const afterMs = world.random.around(world.random.pick([0.1, 20]));
    this.#toHost.add(this.#now, () => host.later(afterMs, () => this.#arrive(bytes)));
  }

  #isIll(ill: Illness["ill"]): boolean {
    const { ill: own, at } = this.#illness;
    return own === ill && this.#frames >= at && !this.#parts.world.faults.isCalm;
  }

  /** In the middle of a turn: what it said a moment ago may arrive or not. */
  #crash(last: Uint8Array): void {
    const { world, name } = this.#parts;
    if (world.random.chance(0.5)) this.#deliver(last, 0);
    this.#breakOut("a plugin crashed");
    this.#plugin.kill();
    const error = forCallers(workerErrors.exited(name, { code: null, signal: "SIGSEGV" }, ""));
    this.#toHost.add(this.#now + this.#latency(), () => this.#end(error));
  }

  /** The session, or this carrier, sees what it is, and that is the plugin's end. */
  #corrupt(bytes: Uint8Array): void {
    this.#breakOut("a plugin said what can't be");
    this.#deliver(bytes, 0);
  }

  /** At times the whole of an actor's time and more, now and then. */
  #lateness(): number {
    const { random } = this.#parts.world;
    if (random.chance(0.8)) return 0;
    this.#breakOut("a plugin was late");
    return random.around(random.pick([50, 3_000, 30_000]));
  }

  #deliver(bytes: Uint8Array, lateMs: number): void {
    this.#toHost.add(this.#now + this.#latency() + lateMs, () => this.#arrive(bytes));
  }

  #arrive(bytes: Uint8Array): void {
    if (this.#over) return;
    try {
      this.#events.frame(PluginFrameCodec.decode(bytes));
    } catch (cause) {
      this.#plugin.kill();
      this.#end(pluginErrors.violation("a frame that can't be read", cause));
    }
    bytes.fill(0xaa);
  }

  #end(error: TroupeError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#events.ended(error);
  }

  #breakOut(what: CounterName): void {
    this.#count(what);
    if (this.#brokeOut) return;
    this.#brokeOut = true;
    this.#parts.world.trace.say(this.#parts.name, what);
  }

  #count(what: CounterName): void {
    this.#parts.world.counters.add(what);
  }

  get #now(): number {
    return this.#parts.world.now;
  }

  #latency(): number {
    const { world } = this.#parts;
    return world.random.around(Math.min(1, world.options.latencyMs));
  }
}

function madeUp(): Uint8Array {
  const value = { instance: 1_000_000, body: { $case: "rest", value: { idle: true } } } as const;
  return PluginFrameCodec.encode({ body: { $case: "actor", value } });
}

function failed(): Uint8Array {
  return PluginFrameCodec.encode({ body: { $case: "failed", value: { error: undefined } } });
}
