/**
 * Ledger: the one row of an actor's workflows that each wake loads. It says how much there is, and when the actor must be
 * woken for it.
 */
import { decodeCbor, encodeCbor } from "@troupe/protocol";
import type { RowChange } from "../ports/storage.ts";
import { workflowErrors } from "./errors.ts";

/** The ledger's key. */
export const WORKFLOWS_ROW = "workflows";

/** The numbers of an actor's workflows. */
export class Ledger {
  /** When the actor must be woken (wall clock, ms), as it is stored. */
  alarm: number | null = null;
  /** The workflow that is the actor's `run` has ended, and doesn't begin again. */
  mainEnded = false;
  /** Those that go on. */
  active = 0;
  /** The oldest that has ended and is kept, and the next one's place. */
  firstEnded = 0;
  nextEnded = 0;
  #changed = false;

  change(): void {
    this.#changed = true;
  }

  take(into: RowChange[]): void {
    if (!this.#changed) return;
    this.#changed = false;
    const { alarm, mainEnded, active, firstEnded, nextEnded } = this;
    into.push({
      key: WORKFLOWS_ROW,
      value: encodeCbor([alarm, mainEnded, active, firstEnded, nextEnded]),
    });
  }

  /** Throws `workflow.row_invalid`. */
  static load(row: Uint8Array): Ledger {
    const value = decodeCbor(row);
    if (!Array.isArray(value)) throw workflowErrors.badRow(WORKFLOWS_ROW);
    const [alarm, mainEnded, active, firstEnded, nextEnded] = value as readonly unknown[];
    const ledger = new Ledger();
    ledger.alarm = alarm === null ? null : whole(alarm);
    ledger.mainEnded = mainEnded === true;
    ledger.active = whole(active);
    ledger.firstEnded = whole(firstEnded);
    ledger.nextEnded = whole(nextEnded);
    return ledger;
  }
}

function whole(value: unknown): number {
  if (typeof value !== "number") throw workflowErrors.badRow(WORKFLOWS_ROW);
  return value;
}
