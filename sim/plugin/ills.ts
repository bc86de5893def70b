/**
 * Ills: what is wrong with a plugin's carrier, and when it breaks out.
 *
 * A world knows a few of them. A session draws one, or none, so that each may last as long as it takes to do harm; and it may hang when it is closed,
 * whatever else it has. In the calm nothing breaks out any more, and what has broken out is over.
 */
import type { World } from "../world/world.ts";

/** All of them. */
export const ills = [
  "crashes",
  "says it twice",
  "is late",
  "is slow of hearing",
  "swallows answers",
  "breaks off in a frame",
  "makes up an instance",
  "greets twice",
  "never gets ready",
] as const;

/** What a session has. */
export type Ill = (typeof ills)[number];

/** One session's. */
export interface Illness {
  readonly ill: Ill | undefined;
  /** It breaks out at this of the plugin's frames. */
  readonly at: number;
  /** Its process doesn't end when it is told to. */
  readonly hangs: boolean;
}

/** Frames of a session before its ill breaks out, at the most. */
const LONGEST_HEALTH = 80;

/** Draws what a session has. */
export function drawIllness(world: World): Illness {
  const { options, random, faults } = world;
  const sick = faults.strikes(options.faultyPlugin);
  return {
    ill: sick ? random.pick(options.ills) : undefined,
    at: 2 + random.below(random.pick([4, LONGEST_HEALTH])),
    hangs: faults.strikes(options.faultyPlugin / 2),
  };
}
