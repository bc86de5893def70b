/**
 * History: what the users did, when, and what they were told. The checkers read it when the run is over.
 */
import type { VaultDoing } from "../actors/vault.ts";
import { markOf } from "./tokens.ts";

/** Kinds of operations. */
export type OpKind =
  | "append"
  /** As append, under an idempotency key. */
  | "once"
  | "pair"
  | "read"
  | "fail"
  | "slow"
  | "announce"
  | "transfer"
  | "remind"
  | "recur"
  | "cancel"
  | "flush"
  | "linger"
  | "die"
  | "nap"
  | "poison"
  | "stash"
  | "note"
  | "job"
  | "weave"
  | VaultDoing;

/** What became of an operation. */
export type Outcome =
  | { readonly tag: "pending" }
  | { readonly tag: "ok"; readonly output: unknown }
  /** `applied`: whether the error allows that it happened. */
  | { readonly tag: "failed"; readonly code: string; readonly applied: "no" | "maybe" | "yes" };

/** One operation. */
export interface Op {
  readonly kind: OpKind;
  readonly token: string;
  readonly actor: { readonly name: string; readonly key: string };
  readonly via: string;
  /** Steps of the scheduler: what ended before another began did so in real time. */
  readonly startedAt: number;
  endedAt: number;
  outcome: Outcome;
  /** The marks that it leaves when it is done. */
  readonly marks: readonly string[];
}

/** All operations of a run. */
export class History {
  readonly ops: Op[] = [];
  #tokens = 0;

  /** A token that nobody else has. */
  token(): string {
    this.#tokens += 1;
    return `w${this.#tokens}`;
  }

  get pending(): readonly Op[] {
    return this.ops.filter(({ outcome }) => outcome.tag === "pending");
  }
}

/** The marks that an operation writes when all of it happens, at the actor that it is called on. */
export function marksOf(kind: OpKind, token: string, turns: number): readonly string[] {
  switch (kind) {
    case "read":
    case "nap":
    case "cancel":
    case "browse":
    // What becomes of a message is its actor's matter, and comes later.
    case "note":
    case "job":
      return [];
    case "slow":
      return Array.from({ length: turns }, (_, turn) => markOf(token, turn));
    case "transfer":
      return [markOf(token, "out"), markOf(token, "done")];
    case "remind":
      return [markOf(token, "sched")];
    case "weave":
      return [markOf(token, "start")];
    case "recur":
      return [markOf(token, "recur")];
    case "deposit":
      return [markOf(token, "row"), markOf(token, "dep")];
    case "move":
    case "hasty":
    case "manual":
      return [...["row1", "row2"].map((row) => markOf(token, row)), markOf(token, kind.slice(0, 3))];
    case "regret":
    case "unfinished":
      return [markOf(token, kind.slice(0, 3))];
    default:
      return [markOf(token)];
  }
}
