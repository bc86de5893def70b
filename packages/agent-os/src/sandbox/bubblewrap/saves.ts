/**
 * Saves: how a container's files get into the store. One save at a time; who asks while one runs gets the next one, which sees
 * all that there was when it was asked for.
 */
import type { FileStore } from "../file-store.ts";
import type { Container } from "./container.ts";

/** Saves what a container's processes changed. */
export class Saves {
  readonly #container: Container;
  readonly #files: FileStore | undefined;
  #running: Promise<unknown> | undefined;
  #next: Promise<void> | undefined;

  constructor(container: Container, files: FileStore | undefined) {
    this.#container = container;
    this.#files = files;
  }

  /** Settles when all that there is now is stored. Rejects with what the store says; then nothing of it is. */
  save(): Promise<void> {
    if (this.#files === undefined) return Promise.resolve();
    if (this.#running === undefined) return this.#begin(this.#files);
    const files = this.#files;
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#begin(files);
      });
    return this.#next;
  }

  /** Does something while nothing is saved. */
  async exclusively<R>(work: () => Promise<R>): Promise<R> {
    while (this.#running !== undefined) await this.#running.catch(() => undefined);
    return await this.#alone(work());
  }

  /** Does something when all that there is now is stored, while nothing else is saved. */
  behind<R>(work: () => Promise<R>): Promise<R> {
    return this.exclusively(async () => {
      if (this.#files !== undefined) await this.#run(this.#files);
      return await work();
    });
  }

  #begin(files: FileStore): Promise<void> {
    return this.#alone(this.#run(files));
  }

  #alone<R>(work: Promise<R>): Promise<R> {
    const running = work.finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  async #run(files: FileStore): Promise<void> {
    const { changes } = await this.#container.ask({ kind: "changes" });
    if (changes.length === 0) return;
    await files.save(changes);
    await this.#container.ask({ kind: "kept" });
  }
}
