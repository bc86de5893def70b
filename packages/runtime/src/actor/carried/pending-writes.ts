/**
 * What a carried actor wrote and no batch has taken yet. One Write of the code is never split: it is put in here in one
 * go, and a batch takes all.
 */

import { type CarriedRow, type PayloadEncoding, Space, type Write } from "@troupe/protocol/actor/v1";
import { actorErrors } from "../../errors.ts";
import { type Batch, CREATED_ROW, DESTROYED_ROW, type Row, type RowChange } from "../../ports/storage.ts";
import { checkBatchSize } from "../../storage/batch-size.ts";
import type { OpenRows } from "../../storage/overlay.ts";
import { changeOfCarriedRow } from "./rows.ts";
import { StateNames } from "./state-names.ts";

/** The open batch of a carried actor. */
export class PendingWrites {
  readonly #encoding: PayloadEncoding;
  readonly #names: StateNames;
  /** Rows of the actor's own are the host's to write. */
  readonly #kept: boolean;
  #rows = new Map<string, Uint8Array | null>();
  #alarm: number | null | undefined;

  /** `loaded` is what the actor has when it starts. */
  constructor(encoding: PayloadEncoding, loaded: readonly Row[], kept: boolean) {
    this.#encoding = encoding;
    this.#kept = kept;
    this.#names = new StateNames(loaded);
  }

  /** What no batch has taken yet. */
  get open(): OpenRows {
    return this.#rows;
  }

  /** True when the code says that the actor ends for good. Throws `actor.bad_row`, `state.too_many_properties`, `value.*`: then nothing is taken over. */
  add(write: Write): boolean {
    const own = this.#kept ? write.rows.find(({ space }) => space === Space.OWN) : undefined;
    if (own !== undefined) throw actorErrors.badRow(own.key);
    const changes = write.rows.map((row: CarriedRow) => changeOfCarriedRow(row, this.#encoding));
    this.#names.change(changes);
    let destroyed = false;
    for (const { key, value } of changes) {
      // Those two are the runtime's to write.
      if (key === DESTROYED_ROW) destroyed = true;
      else if (key !== CREATED_ROW) this.#rows.set(key, value);
    }
    if (write.alarmChanged) this.#alarm = write.alarmAt === 0 ? null : write.alarmAt;
    return destroyed;
  }

  /** Takes all of it, with rows of the runtime's own behind. Throws `storage.batch_too_large`; it is gone all the same. */
  take(own: readonly RowChange[]): Batch {
    const rows: RowChange[] = [];
    for (const [key, value] of this.#rows) rows.push({ key, value });
    const alarm = this.#alarm;
    this.#rows = new Map();
    this.#alarm = undefined;
    rows.push(...own);
    checkBatchSize(rows);
    return alarm === undefined ? { rows } : { rows, alarm };
  }
}
