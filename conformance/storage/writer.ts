/** Writer: an actor's side of a store, for tests. Each `put` is one batch, and its promise is the batch's outcome. */
import type {
  ActorStore,
  Batch,
  BatchSource,
  CommitOutcome,
  RowChange,
} from "../../packages/runtime/src/ports/storage.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A batch source that takes its batches one by one. */
export class Writer implements BatchSource {
  readonly store: ActorStore;
  readonly outcomes: CommitOutcome[] = [];
  readonly #batches: Batch[] = [];
  readonly #waiting: ((outcome: CommitOutcome) => void)[] = [];

  constructor(store: ActorStore) {
    this.store = store;
  }

  /** Commits rows (`null` deletes) and, when given, an alarm. */
  put(rows: Readonly<Record<string, string | null>>, alarm?: number | null): Promise<CommitOutcome> {
    const changes: RowChange[] = Object.entries(rows).map(([key, value]) => ({
      key,
      value: value === null ? null : encoder.encode(value),
    }));
    this.#batches.push(alarm === undefined ? { rows: changes } : { rows: changes, alarm });
    const outcome = new Promise<CommitOutcome>((resolve) => this.#waiting.push(resolve));
    this.store.commit(this);
    return outcome;
  }

  take(): Batch {
    const batch = this.#batches.shift();
    if (batch === undefined) throw new Error("nothing to take");
    return batch;
  }

  settled(outcome: CommitOutcome): void {
    this.outcomes.push(outcome);
    this.#waiting.shift()?.(outcome);
    if (this.#batches.length > 0) this.store.commit(this);
  }
}

/** All rows of a store as text. */
export async function loadText(store: ActorStore): Promise<Record<string, string>> {
  const rows = await store.load();
  return Object.fromEntries(rows.map((row) => [row.key, decoder.decode(row.value)]));
}
