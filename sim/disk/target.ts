/** What a batch of the simulated disk is for: the production driver's targets, with the generation for the checkers. */
import type { ActorRecord, Generation } from "../../packages/runtime/src/ports/directory.ts";

/** An actor as its file knows it. */
export interface SimActor {
  readonly id: string;
  /** Set when the row that creates it could not be written: nothing of it may be. */
  failed: boolean;
}

/** What a write is for. */
export type SimTarget =
  | { readonly kind: "rows"; readonly actor: SimActor; readonly generation: Generation }
  | { readonly kind: "create"; readonly actor: SimActor; readonly record: ActorRecord }
  | { readonly kind: "destroy"; readonly actor: SimActor };
