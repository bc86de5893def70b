/**
 * Saves: how a container's files get into the store. One save at a time; who asks while one runs gets the next one, which sees
 * all that there was when it was asked for.
 *
 * What can't be stored is left out and named (`../unsaved.ts`): everything else is.
 */
import type { FileStore, ImageChanges } from "../file-store.ts";
import { notSaved, type UnsavedPath } from "../unsaved.ts";
import { checkUnsaved } from "./answers.ts";
import type { Container } from "./container.ts";

/** What saves are made of. */
export interface SavesParts {
  readonly container: Container;
  readonly files: FileStore | undefined;
  /** Others than before can't be stored. */
  readonly onUnsaved: ((unsaved: readonly UnsavedPath[]) => void) | undefined;
}

type Unsaved = readonly UnsavedPath[];

/** Saves what a container's processes changed. */
export class Saves {
  readonly #parts: SavesParts;
  #running: Promise<unknown> | undefined;
  #next: Promise<Unsaved> | undefined;
  /** What couldn't be stored last, and what of it was said where a command prints. */
  #unsaved = "[]";
  #said: ReadonlySet<string> = new Set();

  constructor(parts: SavesParts) {
    this.#parts = parts;
  }

  /** Settles when all that there is now is stored, with what can't be. Rejects with what the store says; then nothing of it is. */
  save(): Promise<Unsaved> {
    const { files } = this.#parts;
    if (files === undefined) return Promise.resolve([]);
    if (this.#running === undefined) return this.#begin(files);
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#begin(files);
      });
    return this.#next;
  }

  /** What of it nobody was told of where a command prints. */
  unsaid(unsaved: Unsaved): Unsaved {
    const before = this.#said;
    this.#said = new Set(unsaved.map(({ path }) => path));
    return unsaved.filter(({ path }) => !before.has(path));
  }

  /** Does something while nothing is saved. */
  async exclusively<R>(work: () => Promise<R>): Promise<R> {
    while (this.#running !== undefined) await this.#running.catch(() => undefined);
    return await this.#alone(work());
  }

  /** Does something when all that there is now is stored, while nothing else is saved: see `Sandbox.whileSaved`. Rejects when some of it can't be. */
  behind<R>(work: (above: ImageChanges) => Promise<R>): Promise<R> {
    const { container, files } = this.#parts;
    return this.exclusively(async () => {
      const [first] = files === undefined ? [] : await this.#run(files);
      if (first !== undefined) throw notSaved(first);
      const { changes: above } = await container.ask({ kind: "above" });
      return await work(above);
    });
  }

  #begin(files: FileStore): Promise<Unsaved> {
    return this.#alone(this.#run(files));
  }

  #alone<R>(work: Promise<R>): Promise<R> {
    const running = work.finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  async #run(files: FileStore): Promise<Unsaved> {
    const { container } = this.#parts;
    const { changes, result } = await container.ask({ kind: "changes" });
    const unsaved = checkUnsaved(result);
    if (changes.length > 0) {
      await files.save(changes);
      await container.ask({ kind: "kept" });
    }
    this.#tell(unsaved);
    return unsaved;
  }

  #tell(unsaved: Unsaved): void {
    const now = JSON.stringify(unsaved);
    if (now === this.#unsaved) return;
    this.#unsaved = now;
    this.#parts.onUnsaved?.(unsaved);
  }
}
