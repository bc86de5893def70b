/** What a definition has of that which people look at. */
import type { ActorPart } from "../ports/inspection.ts";
import type { Behaviour } from "./behaviour.ts";

/** What code that is elsewhere has, nobody knows here: it may have everything. */
export function hasPart(behaviour: Behaviour | undefined, part: ActorPart): boolean {
  if (behaviour?.kind !== "local") return true;
  switch (part) {
    case "state":
      return behaviour.state.kind !== "none";
    case "queues":
      return behaviour.queues.names.length > 0;
    case "workflow":
      return behaviour.workflow !== undefined;
  }
}
