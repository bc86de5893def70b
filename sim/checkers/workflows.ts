/**
 * Workflows: what became of those that somebody knows to be started. That no step's mark is there twice is looked at with
 * all others; here it is that each is there, and that they stand in the order of their steps.
 */
import { KNOTS } from "../actors/loom.ts";
import type { World } from "../world/world.ts";
import type { Durability } from "./durability.ts";
import type { History } from "./history.ts";
import { markOf } from "./tokens.ts";

const knots = Array.from({ length: KNOTS }, (_, knot) => `knot${knot}`);
/** In the order of their steps: on the left of the two that go on beside each other, and on the right. */
const orders = [
  ["one", ...knots, "left", "sent", "end"],
  ["one", ...knots, "right", "sent", "part"],
];

/** Judges the workflows of a run. */
export function checkWorkflows(of: {
  readonly world: World;
  readonly history: History;
  readonly durability: Durability;
}): void {
  const { world, history, durability } = of;
  // An actor that is gone takes its workflows with it.
  const ended = new Set(history.ops.filter(({ kind }) => kind === "die").map(({ actor }) => actor.key));
  for (const { kind, token, actor } of history.ops) {
    if (kind !== "weave" || ended.has(actor.key)) continue;
    const actorId = durability.holder(markOf(token, "start"));
    if (actorId === undefined) continue;
    const log = durability.logs.get(actorId) ?? [];
    for (const order of orders) {
      const places = order.map((part) => log.indexOf(markOf(token, part)));
      const missing = order.filter((_part, index) => places[index] === -1);
      if (missing.length > 0)
        world.fail("workflows", `workflow ${token} was started, and has no ${missing.join(", ")}`);
      if (places.some((place, index) => place < (places[index - 1] ?? -1)))
        world.fail("workflows", `the steps of ${token} stand in another order: ${places.join(", ")}`);
    }
    world.counters.add("a workflow ended");
  }
}
