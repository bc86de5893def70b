/** What definitions make ready in a process that runs their actors, from its start to its end. */
import type { AnyActorDefinition } from "../actor/definition.ts";

/** Begins with it; what it returns settles when all of it has ended, and never rejects: what can't be ended has no use any more. */
export function prepare(use: Readonly<Record<string, AnyActorDefinition>>): () => Promise<void> {
  // A definition may have several names.
  const ends = [...new Set(Object.values(use))].flatMap(({ prepare }) => prepare?.() ?? []);
  return async () => {
    await Promise.allSettled(ends.map((end) => end()));
  };
}
