/** ActorPhase: where an actor is in its life, for people. */

/** All of them. */
export const actorPhases = ["asleep", "loading", "awake", "stopping"] as const;

/** An actor that has no place is asleep. */
export type ActorPhase = (typeof actorPhases)[number];
