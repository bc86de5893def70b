/** CallFigures: actions that were called, by the names of their actors and by whom, and how long callers waited. For `/metrics`. */
import type { Clock } from "@troupe/base";
import { Histogram } from "../histogram.ts";
import { MOST_NAMES, OTHERS } from "../host/host-figures.ts";
import type { ActorRecord } from "../ports/directory.ts";
import { errorStatus } from "./http-message.ts";

/** By which door a call came, or who of this process called: another actor, or the program by its own client. */
export type CallDoor = "http" | "websocket" | "actor" | "program";
/** How it ended: answered, refused with what its caller can mend, failed, or answered in items, which may still fail. */
export type CallOutcome = "ok" | "user" | "internal" | "stream";

/** Bounds, seconds: from an action in memory to one that a model answers. */
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Those of one actor's name. */
export class NamedCalls {
  readonly durations = new Histogram(BOUNDS);
  readonly #counts: Record<CallDoor, Record<CallOutcome, number>> = {
    ...{ http: none(), websocket: none(), actor: none(), program: none() },
  };

  count(door: CallDoor, outcome: CallOutcome): void {
    this.#counts[door][outcome] += 1;
  }

  *[Symbol.iterator](): Generator<{ readonly door: CallDoor; readonly outcome: CallOutcome; count: number }> {
    for (const door of ["http", "websocket", "actor", "program"] as const)
      for (const outcome of ["ok", "user", "internal", "stream"] as const) {
        const count = this.#counts[door][outcome];
        if (count > 0) yield { door, outcome, count };
      }
  }
}

/** Those of one gateway, since it began. */
export class CallFigures {
  /** From the coming of a call over HTTP or a WebSocket to the moment when its actor's code, in this process, began with it. */
  readonly waits = new Histogram(BOUNDS);
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #byName = new Map<string, NamedCalls>();

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  get byName(): ReadonlyMap<string, NamedCalls> {
    return this.#byName;
  }

  /** What the others are given of a call's coming. */
  now(): number {
    return this.#clock.monotonic();
  }

  began(since: number): void {
    this.waits.note((this.#clock.monotonic() - since) / 1_000);
  }

  /** A call has its answer. One that found no actor, and tried to start none, is nobody's: its name may be anything. */
  ended(actor: ActorRecord | undefined, door: CallDoor, outcome: CallOutcome, since: number): void {
    const calls = this.#of(actor?.name ?? OTHERS);
    calls.count(door, outcome);
    if (outcome !== "stream") calls.durations.note((this.#clock.monotonic() - since) / 1_000);
  }

  #of(name: string): NamedCalls {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    if (name !== OTHERS && this.#byName.size >= MOST_NAMES) return this.#of(OTHERS);
    const calls = new NamedCalls();
    this.#byName.set(name, calls);
    return calls;
  }
}

/** How a call ended that has an error for its answer. */
export function outcomeOf(error: unknown): CallOutcome {
  return errorStatus(error) < 500 ? "user" : "internal";
}

function none(): Record<CallOutcome, number> {
  return { ok: 0, user: 0, internal: 0, stream: 0 };
}
