/**
 * HostLink: a WebSocket between a remote host and the engine, both ends of it.
 *
 * Each direction is a lane of the process that it goes to, so messages keep their order whatever their delays. A break
 * stops both directions at once: what is under way is lost, and each end hears of it at its own time or, half-open, not at
 * all. A process that dies takes its end along, and the other one hears of that, or not. A new link may stall: what one end
 * says stays on its way for about as long as a session waits, so that a time may end between any two words of an opening.
 */
import { limits } from "@troupe/protocol";
import type { Link, LinkHandler, Message } from "../../packages/runtime/src/ports/transport.ts";
import type { FifoLane } from "../world/lane.ts";
import type { SimProcess } from "../world/process.ts";
import type { World } from "../world/world.ts";

/** Of the ends of new links, those that hear nothing at first. */
const STALLS = 0.2;

/** The ends of a new link: the host's, the engine's. */
export function hostLink(world: World, host: SimProcess, engine: SimProcess): readonly [HostEnd, HostEnd] {
  const wire: Wire = { world, cut: false };
  const near = new HostEnd(wire, host, stalledUntil(world));
  const far = new HostEnd(wire, engine, stalledUntil(world));
  near.peer = far;
  far.peer = near;
  host.onDeath(() => near.died());
  engine.onDeath(() => far.died());
  return [near, far];
}

interface Wire {
  readonly world: World;
  /** Nothing that is under way arrives. */
  cut: boolean;
}

/** One end. */
export class HostEnd implements Link {
  readonly bufferedBytes = 0;
  peer: HostEnd | undefined;
  readonly #wire: Wire;
  readonly #process: SimProcess;
  readonly #lane: FifoLane;
  /** Nothing arrives here before this. */
  readonly #stalledUntil: number;
  #handler: LinkHandler | undefined;
  readonly #early: Message[] = [];
  #closed = false;

  constructor(wire: Wire, process: SimProcess, stalledUntil: number) {
    this.#wire = wire;
    this.#stalledUntil = stalledUntil;
    this.#process = process;
    this.#lane = process.lane("host link");
  }

  attach(handler: LinkHandler): void {
    this.#handler = handler;
    for (const message of this.#early.splice(0)) handler.message(message);
  }

  send(data: Message): void {
    if (this.#closed || !this.#process.alive) return;
    this.#mayBreak();
    const copy = typeof data === "string" ? data : data.slice();
    this.peer?.arrive(() => this.peer?.message(copy));
  }

  close(code: number, reason: string): void {
    if (this.#closed || !this.#process.alive) return;
    this.#closed = true;
    this.peer?.arrive(() => this.peer?.closed(code, reason));
  }

  /** Something comes from the other end, unless the link is cut meanwhile. */
  arrive(task: () => void): void {
    const { world } = this.#wire;
    this.#lane.add(Math.max(this.#stalledUntil, world.now + latency(world)), () => {
      if (!this.#wire.cut) task();
    });
  }

  message(data: Message): void {
    if (this.#closed) return;
    if (this.#handler === undefined) this.#early.push(data);
    else this.#handler.message(data);
  }

  closed(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handler?.closed(code, reason);
  }

  /** Its process is gone: what it had sent still arrives. */
  died(): void {
    this.#closed = true;
    if (!this.#wire.world.random.chance(this.#wire.world.options.halfOpen))
      this.peer?.arrive(() => this.peer?.closed(1006, ""));
  }

  /** The link breaks, at any message. */
  #mayBreak(): void {
    const { world } = this.#wire;
    if (this.#wire.cut || !world.faults.strikes(world.options.breakLink)) return;
    this.#wire.cut = true;
    world.counters.add("a host's link broke");
    const deafEnd = world.random.chance(world.options.halfOpen)
      ? world.random.pick([this, this.peer])
      : undefined;
    for (const end of [this, this.peer]) if (end !== undefined && end !== deafEnd) end.hear();
  }

  /** Hears of the break, some time. */
  hear(): void {
    this.#process.later(latency(this.#wire.world), () => this.closed(1006, ""));
  }
}

/** Only in worlds whose links break: what comes first on a link that follows is what decides. */
function stalledUntil(world: World): number {
  if (world.options.breakLink === 0 || !world.faults.strikes(STALLS)) return 0;
  world.counters.add("a host's link stalled");
  return world.now + world.random.around(limits.hostResumeMs);
}

function latency(world: World): number {
  return world.random.around(world.options.latencyMs);
}
