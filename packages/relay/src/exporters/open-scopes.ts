/**
 * OpenScopes: what an exporter keeps of scopes until they end, by their ids, the oldest first.
 *
 * A start event has all that was said to a model, so what was taken must be gone. It isn't yet when it is deleted from a map through which scopes
 * come and go: such a map leaves tables behind that each lead to the next, and once V8 takes one for old it keeps what is in all of them until
 * it collects everything. So each value stands in a cell of its own, and the cell is emptied.
 */

/** Values by the ids of open scopes. */
export class OpenScopes<T> {
  readonly #cells = new Map<string, { value: T | undefined }>();

  get size(): number {
    return this.#cells.size;
  }

  set(id: string, value: T): void {
    this.#cells.set(id, { value });
  }

  get(id: string): T | undefined {
    return this.#cells.get(id)?.value;
  }

  /** It has ended: its value is the caller's. */
  take(id: string): T | undefined {
    const cell = this.#cells.get(id);
    if (cell === undefined) return undefined;
    this.#cells.delete(id);
    const { value } = cell;
    cell.value = undefined;
    return value;
  }

  /** As `take`, of the one that began first. */
  takeOldest(): T | undefined {
    const [oldest] = this.#cells.keys();
    return oldest === undefined ? undefined : this.take(oldest);
  }
}
