/** What schedules need from the activation that they are of, and what they ask of it. */
import type { ActorStore } from "../ports/storage.ts";
import type { ScheduleFailure } from "./failure.ts";

/** A call that is due. */
export interface DueCall {
  readonly kind: "at" | "cron" | "every";
  readonly id: string;
  readonly name: string | undefined;
  readonly action: string;
  readonly args: readonly unknown[];
  readonly scheduledAt: number;
  readonly firedAt: number;
  /** Which try it is, from 1. */
  readonly attempt: number;
  /** Where it belongs. */
  readonly trace?: string | undefined;
}

/** What the schedules need from their activation. */
export interface ScheduleOwner {
  /** A row changed. Throws when the activation has ended. */
  wrote(): void;
  /** Runs a due call; settles with its error when it failed. Rejects when the activation ended before it did. */
  fire(call: DueCall): Promise<ScheduleFailure | undefined>;
  /**
   * Calls `begin` when this life is known to go on with all that it wrote: at once where the disk is at hand. Elsewhere what
   * is due may never have been stored, or run in another place by now. `failed`: it isn't known.
   */
  whenKnown(begin: () => void, failed: () => void): void;
  /** What goes on where a call is planned, as text; the call belongs to it. */
  trace?(): string | undefined;
  readonly maxSchedules: number;
  readonly stored: Pick<ActorStore, "read" | "list">;
}
