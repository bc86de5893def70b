/** OwnStores: stores of actors with files of their own, for whoever has the others'. */
import type { Generation } from "../ports/directory.ts";
import type { ActorStore, StoreNeeds } from "../ports/storage.ts";

/** `unused`: what a file is made of, for an actor that nobody was told of. */
export type OwnFileLook = "used" | "unused" | "none";

/** Actors with a database, each in a file of its own. */
export interface OwnStores {
  /** Rejects with `storage.fenced`. */
  open(actorId: string, generation: Generation, needs: StoreNeeds): Promise<ActorStore>;
  /** What is there of an actor's file. */
  look(actorId: string): OwnFileLook;
  /** From now on nobody commits for this actor. */
  fence(actorId: string): void;
  /** The actor was destroyed: nothing of it stays. */
  forget(actorId: string): Promise<void>;
  /** Settles what was taken, and closes every file. */
  close(): Promise<void>;
}
