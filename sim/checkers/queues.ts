/**
 * Queues: what a mill was sent, against what its log says of it.
 *
 * A note is taken plainly, in one turn: once, whatever dies. A job must be completed, over several turns: once at least.
 * Notes of one mill come in the order of their sending. Nobody who was told that a message is stored may find it missing,
 * and whoever waited for a reply was told of something that happened.
 */

import type { World } from "../world/world.ts";
import type { Durability } from "./durability.ts";
import type { History, Op } from "./history.ts";
import { markOf } from "./tokens.ts";

/** Judges the messages of a run. */
export function checkQueues(of: {
  readonly world: World;
  readonly history: History;
  readonly durability: Durability;
}): void {
  const messages = of.history.ops.filter(({ kind }) => kind === "note" || kind === "job");
  // An actor that is gone takes its messages with it, and nobody could say which were due.
  const ended = new Set(of.history.ops.filter(({ kind }) => kind === "die").map(({ actor }) => actor.key));
  for (const op of messages) {
    const there = of.durability.isSafe(markOf(op.token, op.kind));
    if (op.outcome.tag === "ok" && !there && !ended.has(op.actor.key))
      of.world.fail("queues", `${op.kind} ${op.token} was sent, and never handled`);
    if (op.outcome.tag === "failed" && op.outcome.applied === "no" && there)
      of.world.fail("queues", `${op.kind} ${op.token} failed with ${op.outcome.code}, and was handled`);
  }
  for (const log of of.durability.logs.values()) {
    checkOrder(of.world, messages, new Map(log.map((mark, index) => [mark, index])));
    const jobs = log.filter((mark) => mark.endsWith(":job."));
    of.world.counters.add("a job was done again", jobs.length - new Set(jobs).size);
  }
}

/** Of two notes the one that was stored before the other was sent comes first. */
function checkOrder(world: World, messages: readonly Op[], places: ReadonlyMap<string, number>): void {
  const placed = messages.flatMap((op) => {
    const at = op.kind === "note" ? places.get(markOf(op.token, "note")) : undefined;
    return at === undefined ? [] : [{ op, at }];
  });
  for (const one of placed) {
    for (const other of placed) {
      if (one.op.outcome.tag === "ok" && one.op.endedAt < other.op.startedAt && one.at > other.at)
        world.fail("queues", `note ${one.op.token} was sent before ${other.op.token}, and came after it`);
    }
  }
}
