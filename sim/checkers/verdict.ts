/**
 * Verdict: the checkers that need the whole run: its history against the logs that are left on disk.
 *
 * Linearizability. A ledger's log is the order in which its writes took effect: an append-only list, so the version
 * chain is there for everyone to see. What is left to check is that this order contradicts no clock (an operation that
 * ended before another began stands before it), that each reply tells of its own place in it, and that each read saw a
 * prefix of it, with everything that had ended and nothing that had not begun.
 */
import { failsFirst } from "../actors/ledger.ts";
import type { World } from "../world/world.ts";
import type { Durability } from "./durability.ts";
import { checkBrowsers } from "./entries.ts";
import type { History, Op, OpKind } from "./history.ts";
import { checkQueues } from "./queues.ts";
import { isMark, markOf, tokenWith } from "./tokens.ts";
import { checkWorkflows } from "./workflows.ts";

/** What the checkers read. */
export interface Evidence {
  readonly world: World;
  readonly history: History;
  readonly durability: Durability;
}

/** Runs all of them. */
export function judge(evidence: Evidence): void {
  checkAtMostOnce(evidence);
  checkOutcomes(evidence);
  checkOrder(evidence);
  checkReads(evidence);
  checkEnds(evidence);
  checkSchedules(evidence);
  checkQueues(evidence);
  checkWorkflows(evidence);
  checkBrowsers(evidence);
  count(evidence);
}

/**
 * No write is there twice, in one actor or in two; of what a crash may repeat, what takes one turn isn't either. A key is
 * its actor's: a call that was sent again when its actor had been destroyed found another one.
 */
function checkAtMostOnce({ world, history, durability }: Evidence): void {
  const holders = new Map<string, string>();
  const once = history.ops.filter(({ kind }) => kind === "once");
  const keyed = new Set(once.flatMap(({ token, marks }) => [markOf(token, "part"), ...marks]));
  for (const [actorId, log] of durability.logs) {
    for (const mark of log) {
      if (!isMark(mark) || mayRepeat(world, mark)) continue;
      const other = holders.get(mark);
      const elsewhere = keyed.has(mark) && other !== actorId;
      if (other !== undefined && !(elsewhere && durability.wasDestroyed(other))) {
        world.fail("at most once", `${mark} is there twice, in ${other} and ${actorId}`);
      }
      holders.set(mark, actorId);
    }
  }
}

/** A crash repeats calls of several turns; a clock that is set back, a job's times. */
function mayRepeat({ options }: World, mark: string): boolean {
  if (tokenWith(mark, "job") !== undefined) return true;
  const ring = tokenWith(mark, "ring");
  if (ring !== undefined) return options.hookMs > 0 || failsFirst(ring);
  return mark.includes(":beat") && (options.hookMs > 0 || options.clockJumps > 0);
}

/** What a caller was told of its call is true. */
function checkOutcomes({ world, history, durability }: Evidence): void {
  for (const op of history.ops) {
    const { outcome } = op;
    if (outcome.tag === "pending") continue;
    const there = op.marks.filter((mark) => durability.isSafe(mark));
    if (outcome.tag === "failed" && outcome.applied === "no" && there.length > 0) {
      world.fail(
        "outcomes",
        `${op.kind} ${op.token} failed with ${outcome.code}, and ${there.join()} is there`,
      );
    }
    if (outcome.tag === "failed" && outcome.applied === "yes" && there.length < op.marks.length) {
      world.fail("outcomes", `${op.kind} ${op.token} ran, said ${outcome.code}, and left nothing`);
    }
    // A prefix of its turns may be left, never a later turn without an earlier one.
    const first = op.marks.findIndex((mark) => !durability.isSafe(mark));
    if (first !== -1 && op.marks.slice(first).some((mark) => durability.isSafe(mark))) {
      world.fail("order", `of ${op.token} only ${there.join()} is there: not a prefix of its turns`);
    }
  }
}

interface Placed {
  readonly op: Op;
  readonly first: number;
  readonly last: number;
}

/** Operations whose marks are in a log, by actor. */
function placed({ history, durability }: Evidence, log: readonly string[], actorId: string): Placed[] {
  const places = new Map(log.map((mark, index) => [mark, index]));
  const found: Placed[] = [];
  for (const op of history.ops) {
    const indexes = op.marks
      .filter((mark) => durability.holder(mark) === actorId)
      .map((mark) => places.get(mark))
      .filter((place) => place !== undefined);
    if (indexes.length > 0) found.push({ op, first: Math.min(...indexes), last: Math.max(...indexes) });
  }
  return found;
}

/** When an operation had surely taken effect: a call without an answer may do so at any later time. */
function settledAt({ outcome, endedAt }: Op): number {
  return outcome.tag === "ok" || (outcome.tag === "failed" && outcome.applied === "yes") ? endedAt : Infinity;
}

function checkOrder(evidence: Evidence): void {
  for (const [actorId, log] of evidence.durability.logs) {
    const all = placed(evidence, log, actorId);
    for (const a of all) {
      const at = placeTold(a.op, actorId);
      const exact = a.op.kind === "append" || a.op.kind === "once" || a.op.kind === "announce";
      if (at !== undefined && (exact ? at !== a.last + 1 : at < a.last + 1)) {
        evidence.world.fail("linearizability", `${a.op.token} was told place ${at}, and has ${a.last + 1}`);
      }
      for (const b of all) {
        if (settledAt(a.op) < b.op.startedAt && a.last > b.first) {
          evidence.world.fail(
            "linearizability",
            `${a.op.token} ended before ${b.op.token} began, but stands after it`,
          );
        }
      }
    }
  }
}

/** The place that a caller was told of, in the log of this actor: one that was made anew has another. */
function placeTold({ outcome }: Op, actorId: string): number | undefined {
  if (outcome.tag !== "ok" || typeof outcome.output !== "object" || outcome.output === null) return undefined;
  const { output } = outcome;
  if (!("id" in output) || output.id !== actorId) return undefined;
  return "at" in output && typeof output.at === "number" ? output.at : undefined;
}

function checkReads(evidence: Evidence): void {
  const { world, history, durability } = evidence;
  for (const read of history.ops) {
    const seen = read.kind === "read" ? readOf(read) : undefined;
    const log = seen === undefined ? undefined : durability.logs.get(seen.id);
    if (seen === undefined || log === undefined) continue;
    if (seen.log.some((mark, index) => log[index] !== mark)) {
      world.fail("linearizability", `read ${read.token} of ${seen.id} saw what is not a prefix of its log`);
    }
    for (const { op, first, last } of placed(evidence, log, seen.id)) {
      if (settledAt(op) < read.startedAt && last >= seen.log.length) {
        world.fail(
          "linearizability",
          `read ${read.token} began after ${op.token} had ended, and did not see it`,
        );
      }
      if (read.endedAt < op.startedAt && first < seen.log.length) {
        world.fail("linearizability", `read ${read.token} ended before ${op.token} began, and saw it`);
      }
    }
  }
}

function readOf({ outcome }: Op): { readonly id: string; readonly log: readonly unknown[] } | undefined {
  if (outcome.tag !== "ok") return undefined;
  const { output } = outcome;
  if (typeof output !== "object" || output === null || !("id" in output) || !("log" in output))
    return undefined;
  return Array.isArray(output.log) ? { id: String(output.id), log: output.log } : undefined;
}

/** Kinds that take effect in one turn, which is their first. */
const atOnce: ReadonlySet<OpKind> = new Set(["append", "pair", "announce", "fail", "flush", "linger", "die"]);

/** An actor that was asked to end for good begins nothing more: its caller would be told of what is gone with it. */
function checkEnds(evidence: Evidence): void {
  for (const [actorId, log] of evidence.durability.logs) {
    const done = placed(evidence, log, actorId).filter(({ op }) => atOnce.has(op.kind));
    const end = done.find(({ op }) => op.kind === "die");
    if (end === undefined) continue;
    for (const { op, first } of done) {
      if (first > end.first)
        evidence.world.fail(
          "ends",
          `${op.kind} ${op.token} began behind the end of ${actorId}, ${end.op.token}`,
        );
    }
  }
}

/** Every schedule that was made has run or was cancelled, and none runs after it was cancelled. */
function checkSchedules({ world, durability }: Evidence): void {
  for (const [actorId, log] of durability.logs) {
    for (const [index, mark] of log.entries()) {
      const cancelled = tokenWith(mark, "cancel");
      if (cancelled !== undefined && log.includes(markOf(cancelled, "ring"), index)) {
        world.fail("schedules", `${mark} of ${actorId} was answered with true, and it ran after that`);
      }
      const job = tokenWith(mark, "recur");
      if (job !== undefined && !durability.wasDestroyed(actorId) && !log.includes(markOf(job, "end"))) {
        world.fail("schedules", `the job ${job} of ${actorId} never came to its end`);
      }
      const token = tokenWith(mark, "sched");
      if (token === undefined || durability.wasDestroyed(actorId)) continue;
      if (!log.includes(markOf(token, "ring")) && !log.includes(markOf(token, "cancel"))) {
        world.fail("schedules", `${token} of ${actorId} never ran`);
      }
    }
  }
}

function count({ world, history, durability }: Evidence): void {
  const { counters } = world;
  for (const { outcome, marks } of history.ops) {
    if (outcome.tag !== "failed" || marks.length === 0) continue;
    const there = marks.filter((mark) => durability.isSafe(mark)).length;
    if (outcome.code === "client.outcome_unknown") {
      counters.add(there > 0 ? "outcome unknown, applied" : "outcome unknown, not applied");
      if (there > 0 && there < marks.length) counters.add("an action left unfinished by a crash");
    }
    if (outcome.code === "storage.commit_failed" && there === 0) counters.add("commit failed, not applied");
  }
  for (const log of durability.logs.values()) {
    const rings = log.filter((mark) => tokenWith(mark, "ring") !== undefined);
    counters.add("a schedule fired twice", rings.length - new Set(rings).size);
  }
}
