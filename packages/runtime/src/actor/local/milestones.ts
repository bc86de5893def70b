/**
 * Milestones: an actor's beginning and its end for good, each said by a row that goes with the batch which makes it true.
 *
 * What a start writes is kept back until its hooks are done, so that one which fails leaves nothing; whoever waits for the
 * disk meanwhile lets it go early. The row behind the last hook says that the actor is whole: one without it was cut short
 * by a crash. The row of the end goes with the turn that asked for it: nothing that depends on it leaves before.
 */
import {
  type ActorStore,
  type BatchSource,
  CREATED_ROW,
  DESTROYED_ROW,
  type RowChange,
} from "../../ports/storage.ts";

const DONE = Uint8Array.of(1);

/** Where one activation stands. */
export class Milestones {
  readonly #store: Pick<ActorStore, "commit">;
  readonly #source: BatchSource;
  #held: "no" | "quiet" | "wrote" = "no";
  #isNew = false;
  /** The creation is done, and no batch has said so. */
  #unsaid = false;
  /** The end for good was asked for, and until "said" no batch has said so. */
  #doom: "no" | "unsaid" | "said" = "no";

  constructor(store: Pick<ActorStore, "commit">, source: BatchSource) {
    this.#store = store;
    this.#source = source;
  }

  /** True while what is written is kept back. */
  get held(): boolean {
    return this.#held !== "no";
  }

  /** True from the moment when the end for good was asked for. */
  get doomed(): boolean {
    return this.#doom !== "no";
  }

  /** Keeps back what the creation writes, until {@link created} or until something waits for it. */
  creating(): void {
    this.#held = "quiet";
    this.#isNew = true;
  }

  /** Keeps back what a migration writes: with an error nothing of it stays. */
  migrating(): void {
    if (this.#held === "no") this.#held = "quiet";
  }

  /** The migration is done. */
  migrated(): void {
    if (!this.#isNew) this.release();
  }

  /** The creation is done. False when there was none. */
  created(): boolean {
    if (!this.#isNew) return false;
    this.#isNew = false;
    this.#unsaid = true;
    this.release();
    return true;
  }

  /** What was kept back may go. */
  release(): void {
    const wrote = this.#held === "wrote";
    this.#held = "no";
    if (wrote) this.#store.commit(this.#source);
  }

  /** Something was written. */
  wrote(): void {
    if (this.#held === "no") this.#store.commit(this.#source);
    else this.#held = "wrote";
  }

  /** The end for good was asked for. False when it was before. */
  doom(): boolean {
    if (this.doomed) return false;
    this.#doom = "unsaid";
    return true;
  }

  /** Takes the rows that nobody has said yet. */
  take(into: RowChange[]): void {
    if (this.#unsaid) into.push({ key: CREATED_ROW, value: DONE });
    this.#unsaid = false;
    if (this.#doom !== "unsaid") return;
    into.push({ key: DESTROYED_ROW, value: DONE });
    this.#doom = "said";
  }
}
