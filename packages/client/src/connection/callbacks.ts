/** A set of callbacks of the user's. One that throws stops neither the others nor us: `failed` is told. */
export class Callbacks<Args extends readonly unknown[]> {
  readonly #callbacks = new Set<{ readonly call: (...args: Args) => void }>();
  readonly #failed: (error: unknown) => void;

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  get size(): number {
    return this.#callbacks.size;
  }

  /** The same function added twice is called twice. Returns what removes it. */
  add(call: (...args: Args) => void): () => void {
    const entry = { call };
    this.#callbacks.add(entry);
    return () => {
      this.#callbacks.delete(entry);
    };
  }

  /** Callbacks that are added meanwhile aren't called; those that are removed meanwhile aren't either. */
  emit(...args: Args): void {
    for (const entry of [...this.#callbacks]) {
      if (!this.#callbacks.has(entry)) continue;
      try {
        entry.call(...args);
      } catch (error) {
        this.#failed(error);
      }
    }
  }
}
