/**
 * Canaries: faults that are built in on purpose, and must be caught. A simulator that doesn't see them sees nothing.
 *
 * Most of them break production code by replacing one method of a class while the run lasts; the others make a promise
 * of the disk or the network untrue. Never more than one at a time, and never outside of a canary's own run.
 */
import { Activation } from "../packages/runtime/src/actor/local/activation.ts";
import { LocalInstance } from "../packages/runtime/src/actor/local/local-instance.ts";
import { OutputGate } from "../packages/runtime/src/gate/output-gate.ts";
import type { Batch, RowChange } from "../packages/runtime/src/ports/storage.ts";
import type { NetworkFlaws } from "./net/network.ts";
import type { ServerParts } from "./world/server.ts";

/** What a canary breaks, and how. */
export interface Canary {
  readonly what: string;
  /** The checker that has to see it. */
  readonly caughtBy: readonly string[];
  readonly server?: ServerParts["flaws"];
  readonly network?: NetworkFlaws;
  /** Breaks production code; returns what mends it. */
  readonly sabotage?: () => () => void;
}

/** Names of the canaries. */
export type CanaryName = keyof typeof canaries;

/** All canaries. */
export const canaries = {
  "open-gate": {
    what: "the gate lets outputs go at once",
    caughtBy: ["durability"],
    sabotage: openGate,
  },
  "split-turn": {
    what: "a batch takes half of a turn's rows, the next batch the rest",
    caughtBy: ["one turn, one transaction"],
    sabotage: splitTurns,
  },
  "microtask-batch": {
    what: "batches are closed from a microtask, in the middle of a turn",
    caughtBy: ["one turn, one transaction"],
    server: { microtaskBatches: true },
  },
  "early-sync": {
    what: "the disk says that it has synced when it has only begun",
    caughtBy: ["durability"],
    server: { earlySync: true },
  },
  "lost-alarm": {
    what: "the disk forgets alarms",
    caughtBy: ["one turn, one transaction"],
    server: { losesAlarms: true },
  },
  "repeated-generation": {
    what: "generations start anew after a crash",
    caughtBy: ["one writer"],
    server: { repeatsGenerations: true },
  },
  "denied-request": {
    what: "a lost answer looks like a request that was never sent, so that the client sends it again",
    caughtBy: ["one turn, one transaction", "at most once"],
    network: { deniesRequests: true },
  },
  "life-after-death": {
    what: "an actor that was asked to end for good goes on taking calls until it stops",
    caughtBy: ["ends"],
    sabotage: livesOn,
  },
  "doubled-message": {
    what: "a link delivers a message twice",
    caughtBy: ["events"],
    network: { doublesMessages: true },
  },
} as const satisfies Readonly<Record<string, Canary>>;

function openGate(): () => void {
  const { emit } = OutputGate.prototype;
  OutputGate.prototype.emit = (output) => output.release();
  return () => {
    OutputGate.prototype.emit = emit;
  };
}

function livesOn(): () => void {
  const { prototype } = LocalInstance;
  const doomed = Object.getOwnPropertyDescriptor(prototype, "doomed");
  const accepting = Object.getOwnPropertyDescriptor(prototype, "accepting");
  if (doomed === undefined || accepting === undefined) throw new Error("a local instance says what it is");
  const runs = (instance: LocalInstance): boolean => instance.report().phase === "running";
  Object.defineProperties(prototype, {
    doomed: {
      get(this: LocalInstance): boolean {
        return doomed.get?.call(this) === true && !runs(this);
      },
    },
    accepting: {
      get(this: LocalInstance): boolean {
        return runs(this);
      },
    },
  });
  return () => void Object.defineProperties(prototype, { doomed, accepting });
}

function splitTurns(): () => void {
  const { take } = Activation.prototype;
  const rest = new WeakMap<Activation, RowChange[]>();
  Activation.prototype.take = function halve(this: Activation): Batch {
    const batch = take.call(this);
    const rows = [...(rest.get(this) ?? []), ...batch.rows];
    const later = rows.splice(Math.ceil(rows.length / 2));
    rest.set(this, later);
    if (later.length > 0) this.gate.mark();
    return { ...batch, rows };
  };
  return () => {
    Activation.prototype.take = take;
  };
}
