/**
 * Canaries: faults that are built in on purpose, and must be caught. A simulator that doesn't see them sees nothing.
 *
 * Most of them break production code by replacing one method of a class while the run lasts; the others make a promise
 * of the disk or the network untrue. Never more than one at a time, and never outside of a canary's own run.
 */
import { HeldTurns } from "../packages/runtime/src/actor/carried/held-turns.ts";
import { Sleepers } from "../packages/runtime/src/actor/carried/sleepers.ts";
import { Activation } from "../packages/runtime/src/actor/local/activation.ts";
import { OutputGate } from "../packages/runtime/src/gate/output-gate.ts";
import { Held } from "../packages/runtime/src/gateway/held.ts";
import { KeptResults } from "../packages/runtime/src/idempotency/kept-results.ts";
import { HelperProcess } from "../packages/runtime/src/node/sqlite/sql-process/helper-process.ts";
import { type Batch, type RowChange, WORKFLOW_PREFIX } from "../packages/runtime/src/ports/storage.ts";
import { FrameStream } from "../packages/runtime/src/remote/frame-stream.ts";
import { Turnstile } from "../packages/runtime/src/sql/turnstile.ts";
import { WriteSlot } from "../packages/runtime/src/sql/write-slot.ts";
import { WorkflowRows } from "../packages/runtime/src/workflow/rows.ts";
import { forgetBatches, hushEnds, misreadAnswers } from "./broken-plugins.ts";
import { delayMessages, loseMessages } from "./broken-queues.ts";
import { deafen, storeTwoOfThree, tearPages } from "./broken-sessions.ts";
import type { NetworkFlaws } from "./net/network.ts";
import type { ServerParts } from "./world/server.ts";

/** What a canary breaks, and how. */
export interface Canary {
  readonly what: string;
  /** The checker that has to see it. */
  readonly caughtBy: readonly string[];
  /** A seed near one that shows it, where that is not among the first: the search begins there. */
  readonly near?: number;
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
  "missing-file": {
    what: "an actor's own file that isn't there is taken for one that never was",
    caughtBy: ["ends"],
    server: { takesMissingForNew: true },
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
    near: 11,
    network: { deniesRequests: true },
  },
  "life-after-death": {
    what: "an actor that was asked to end for good goes on taking calls until it stops",
    caughtBy: ["ends"],
    near: 29,
    sabotage: livesOn,
  },
  "forgotten-keys": {
    what: "results of calls with idempotency keys aren't kept",
    caughtBy: ["one turn, one transaction", "at most once", "idempotency"],
    near: 11,
    sabotage: forgetKeys,
  },
  "forgotten-beginning": {
    what: "a call with a key that a crash cut off leaves no word of it, and runs again",
    caughtBy: ["one turn, one transaction", "at most once"],
    sabotage: forgetBeginnings,
  },
  "short-turn": {
    what: "a batch is taken between a statement of carried code and what goes on with its answer",
    caughtBy: ["one turn, one transaction"],
    sabotage: endTurnsEarly,
  },
  "doubled-message": {
    what: "a link delivers a message twice",
    caughtBy: ["events"],
    network: { doublesMessages: true },
  },
  "lost-message": {
    what: "a message of a queue is told to be stored, and isn't",
    // The actor's row says that it has a message, and nobody can find it.
    caughtBy: ["queues", "liveness"],
    near: 12,
    sabotage: loseMessages,
  },
  "late-message": {
    what: "what a turn did with its messages is stored behind what it wrote",
    // A message whose row comes late may be looked for before, and then nobody comes back for it.
    caughtBy: ["one turn, one transaction", "at most once", "queues", "liveness"],
    sabotage: delayMessages,
  },
  "unheld-message": {
    what: "what the client of a sleeping actor says is given up when it has been said",
    caughtBy: ["raw sockets", "liveness"],
    sabotage: holdNothing,
  },
  "repeated-message": {
    what: "what an actor has acknowledged is said to it again when it wakes",
    caughtBy: ["raw sockets", "at most once"],
    sabotage: releaseNothing,
  },
  "late-step": {
    what: "the result of a step is stored behind what the step wrote",
    caughtBy: ["one turn, one transaction", "at most once"],
    near: 138,
    sabotage: delaySteps,
  },
  "open-slot": {
    what: "statements don't wait for the transaction of somebody else",
    caughtBy: ["one turn, one transaction", "sql"],
    near: 62,
    sabotage: openSlot,
  },
  "kept-transaction": {
    what: "a transaction that failed is kept",
    caughtBy: ["one turn, one transaction", "durability"],
    sabotage: keepFailed,
  },
  "trusted-commit": {
    what: "a batch whose helper process was lost is told to be stored",
    caughtBy: ["durability"],
    near: 265,
    sabotage: trustCommits,
  },
  "unstored-event": {
    what: "an event of a session is told, and isn't stored",
    caughtBy: ["durability", "sessions"],
    sabotage: storeTwoOfThree,
  },
  "torn-page": {
    what: "a page of a session's events lacks its last",
    caughtBy: ["sessions", "liveness"],
    sabotage: tearPages,
  },
  "deaf-follower": {
    what: "who follows a session doesn't hear that the connection was lost",
    caughtBy: ["sessions"],
    near: 45,
    sabotage: deafen,
  },
  "forgotten-sleeper": {
    what: "an actor behind actor/v1 sleeps, and nobody keeps its clients for the next life",
    caughtBy: ["raw sockets", "liveness"],
    near: 25,
    sabotage: forgetSleepers,
  },
  "misread-answer": {
    what: "a plugin's second answer to a call is taken for the answer to another one",
    caughtBy: ["durability", "linearizability", "outcomes", "one turn, one transaction"],
    near: 93,
    sabotage: misreadAnswers,
  },
  "unheard-crash": {
    what: "nobody hears that a plugin crashed",
    caughtBy: ["liveness"],
    near: 86,
    sabotage: hushEnds,
  },
  "denied-batch": {
    what: "of a call of a plugin's actor nothing is said to be stored, and its first batch is",
    caughtBy: ["outcomes"],
    near: 94,
    sabotage: forgetBatches,
  },
  "forgetful-resume": {
    what: "a host's session goes on without what was under way when its link broke",
    // A start, a call or an answer that was lost is waited for until its time is over.
    caughtBy: ["errors", "raw sockets", "liveness"],
    near: 449,
    sabotage: resumeWithout,
  },
  "repeating-resume": {
    what: "a host's session goes on with what the other side has read already",
    caughtBy: ["events", "one turn, one transaction", "durability"],
    near: 131,
    sabotage: resumeTwice,
  },
} as const satisfies Readonly<Record<string, Canary>>;

function resumeWithout(): () => void {
  const { resume } = FrameStream.prototype;
  FrameStream.prototype.resume = function (link, received) {
    this.acknowledged(received);
    this.attach(link);
  };
  return () => {
    FrameStream.prototype.resume = resume;
  };
}

function resumeTwice(): () => void {
  const { acknowledged } = FrameStream.prototype;
  FrameStream.prototype.acknowledged = () => {};
  return () => {
    FrameStream.prototype.acknowledged = acknowledged;
  };
}

function openGate(): () => void {
  const { emit } = OutputGate.prototype;
  OutputGate.prototype.emit = (output) => output.release();
  return () => void Object.assign(OutputGate.prototype, { emit });
}

function livesOn(): () => void {
  const { prototype } = Activation;
  const doomed = Object.getOwnPropertyDescriptor(prototype, "doomed");
  if (doomed === undefined) throw new Error("an activation says whether its end was asked for");
  Object.defineProperty(prototype, "doomed", {
    configurable: true,
    get(this: Activation): boolean {
      return doomed.get?.call(this) === true && this.phase.tag !== "running";
    },
  });
  return () => void Object.defineProperty(prototype, "doomed", doomed);
}

function forgetKeys(): () => void {
  const { keep } = KeptResults.prototype;
  KeptResults.prototype.keep = () => {};
  return () => {
    KeptResults.prototype.keep = keep;
  };
}

function forgetBeginnings(): () => void {
  const { begin } = KeptResults.prototype;
  KeptResults.prototype.begin = () => {};
  return () => {
    KeptResults.prototype.begin = begin;
  };
}

function endTurnsEarly(): () => void {
  const { run } = HeldTurns.prototype;
  HeldTurns.prototype.run = (_turn, use) => use();
  return () => {
    HeldTurns.prototype.run = run;
  };
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

function holdNothing(): () => void {
  const { add } = Held.prototype;
  Held.prototype.add = function give<T>(this: Held<T>, item: T, bytes: number): number {
    const index = add.call(this, item, bytes);
    this.release(index);
    return index;
  };
  return () => {
    Held.prototype.add = add;
  };
}

function releaseNothing(): () => void {
  const { release } = Held.prototype;
  Held.prototype.release = () => {};
  return () => {
    Held.prototype.release = release;
  };
}

function delaySteps(): () => void {
  const { take } = WorkflowRows.prototype;
  const late = new WeakMap<WorkflowRows, RowChange[]>();
  WorkflowRows.prototype.take = function delay(this: WorkflowRows, into: RowChange[]): void {
    const rows: RowChange[] = [];
    take.call(this, rows);
    const ofSteps = ({ key }: RowChange): boolean => key.startsWith(`${WORKFLOW_PREFIX}h:`);
    const fresh = new Set(rows.map(({ key }) => key));
    into.push(...(late.get(this) ?? []).filter(({ key }) => !fresh.has(key)));
    into.push(...rows.filter((row) => !ofSteps(row)));
    late.set(this, rows.filter(ofSteps));
  };
  return () => {
    WorkflowRows.prototype.take = take;
  };
}

function openSlot(): () => void {
  const { turn } = Turnstile.prototype;
  Turnstile.prototype.turn = () => Promise.resolve();
  return () => {
    Turnstile.prototype.turn = turn;
  };
}

function keepFailed(): () => void {
  const { undo, release } = WriteSlot.prototype;
  WriteSlot.prototype.undo = async function keep(this: WriteSlot, transaction): Promise<void> {
    if (transaction.over === undefined && transaction.inner === undefined)
      await release.call(this, transaction);
    else await undo.call(this, transaction);
  };
  return () => {
    WriteSlot.prototype.undo = undo;
  };
}

function trustCommits(): () => void {
  const { ask } = HelperProcess.prototype;
  HelperProcess.prototype.ask = async function trust(this: HelperProcess, question, timeoutMs) {
    try {
      return await ask.call(this, question, timeoutMs);
    } catch (cause) {
      if (question.kind === "commit") return { kind: "answer", pending: false };
      throw cause;
    }
  };
  return () => {
    HelperProcess.prototype.ask = ask;
  };
}

function forgetSleepers(): () => void {
  const { hibernate } = Sleepers.prototype;
  Sleepers.prototype.hibernate = () => {};
  return () => {
    Sleepers.prototype.hibernate = hibernate;
  };
}
