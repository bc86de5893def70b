/** OwnPaths: the names of an actor's own file, and how far its creation came: see `spare-files.ts`. */
import { existsSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { OwnFileLook } from "../../../storage/own-stores.ts";
import { digitsOf } from "../shards.ts";
import { sparePath } from "./spare-files.ts";

/** The names, and what a look at them says. */
export interface OwnPaths {
  readonly path: string;
  /** What the file is made of. */
  readonly spare: string;
  /** There is a file of the actor's name. */
  readonly exists: () => boolean;
  /** The spare is there: nobody was told of the actor's creation. */
  readonly isNew: () => boolean;
}

/** Those of an actor's in a directory. */
export function ownPaths(directory: string, actorId: string): OwnPaths {
  const path = join(directory, `${actorId}.db`);
  const spare = sparePath(directory, digitsOf(actorId));
  return { path, spare, exists: () => existsSync(path), isNew: () => existsSync(spare) };
}

/** What is there. */
export function lookAt({ exists, isNew }: Pick<OwnPaths, "exists" | "isNew">): OwnFileLook {
  if (exists()) return "used";
  return isNew() ? "unused" : "none";
}

/** The file is durable, with its name: from now on it is missing when it isn't there. */
export function forgetSpare(spare: string): void {
  try {
    unlinkSync(spare);
  } catch {
    // It is gone, or the next start tries again: until then a file that goes is taken for one that was never promised.
  }
}
