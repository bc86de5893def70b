/**
 * IdleQueue: who sleeps next.
 *
 * Instances with the same sleep time-out stand in one queue in the order in which they became idle, so that one timer
 * for the head is enough, whatever the number of actors, and becoming busy or idle is a few pointer steps. The heads of
 * all queues are the longest idle: they sleep first when room is needed. Those with a database have queues of their own:
 * there may be room for everything but open files.
 */
import type { Env, TimerHandle } from "@troupe/base";

/** A place in an idle queue; embedded in what stands there. */
export interface IdleNode {
  idleLane: IdleLane | undefined;
  idleSince: number;
  idlePrevious: IdleNode | undefined;
  idleNext: IdleNode | undefined;
  readonly hasDatabase: boolean;
}

/** The queue of one time-out. */
export class IdleLane {
  readonly timeoutMs: number;
  head: IdleNode | undefined;
  tail: IdleNode | undefined;
  timer: TimerHandle | undefined;

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs;
  }
}

/** All idle instances of a host. */
export class IdleQueue {
  readonly #env: Pick<Env, "clock" | "timers">;
  readonly #onExpired: (node: IdleNode) => void;
  readonly #databases = new Map<number, IdleLane>();
  readonly #others = new Map<number, IdleLane>();

  constructor(env: Pick<Env, "clock" | "timers">, onExpired: (node: IdleNode) => void) {
    this.#env = env;
    this.#onExpired = onExpired;
  }

  add(node: IdleNode, timeoutMs: number): void {
    this.remove(node);
    const lane = laneOf(node.hasDatabase ? this.#databases : this.#others, timeoutMs);
    node.idleLane = lane;
    node.idleSince = this.#env.clock.monotonic();
    node.idlePrevious = lane.tail;
    if (lane.tail === undefined) lane.head = node;
    else lane.tail.idleNext = node;
    lane.tail = node;
    // The timer isn't moved when the head changes: it fires early at worst, and looks again.
    if (lane.timer === undefined) this.#arm(lane, timeoutMs);
  }

  remove(node: IdleNode): void {
    const lane = node.idleLane;
    if (lane === undefined) return;
    if (node.idlePrevious === undefined) lane.head = node.idleNext;
    else node.idlePrevious.idleNext = node.idleNext;
    if (node.idleNext === undefined) lane.tail = node.idlePrevious;
    else node.idleNext.idlePrevious = node.idlePrevious;
    node.idleLane = undefined;
    node.idlePrevious = undefined;
    node.idleNext = undefined;
  }

  /** The one that has been idle longest, of all or of those with a database. */
  longestIdle(which: "any" | "database"): IdleNode | undefined {
    let longest: IdleNode | undefined;
    for (const lane of which === "any" ? this.#lanes() : this.#databases.values()) {
      if (lane.head === undefined) continue;
      if (longest === undefined || lane.head.idleSince < longest.idleSince) longest = lane.head;
    }
    return longest;
  }

  /** No timer fires any more. */
  close(): void {
    for (const lane of this.#lanes()) {
      if (lane.timer !== undefined) this.#env.timers.clear(lane.timer);
      lane.timer = undefined;
    }
  }

  #lanes(): readonly IdleLane[] {
    return [...this.#databases.values(), ...this.#others.values()];
  }

  #arm(lane: IdleLane, delayMs: number): void {
    lane.timer = this.#env.timers.set(() => this.#expire(lane), delayMs, { background: true });
  }

  #expire(lane: IdleLane): void {
    lane.timer = undefined;
    const now = this.#env.clock.monotonic();
    while (lane.head !== undefined && lane.head.idleSince + lane.timeoutMs <= now) {
      const node = lane.head;
      this.remove(node);
      this.#onExpired(node);
    }
    if (lane.head !== undefined) this.#arm(lane, Math.max(1, lane.head.idleSince + lane.timeoutMs - now));
    // A lane whose actors are all busy stays: its time-out belongs to a definition, and those are few.
  }
}

function laneOf(lanes: Map<number, IdleLane>, timeoutMs: number): IdleLane {
  let lane = lanes.get(timeoutMs);
  if (lane === undefined) {
    lane = new IdleLane(timeoutMs);
    lanes.set(timeoutMs, lane);
  }
  return lane;
}
