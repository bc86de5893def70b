/**
 * SpareFiles: new actors' files, made ahead.
 *
 * A file that has an actor's name must be whole after a power cut, so its bytes are synced before it is renamed to it. A
 * sync takes milliseconds, and actors make their files at a statement's call, in the middle of a turn: so a few copies of
 * the template are synced by the threads, beside everybody else's syncs, and who opens an actor that has no file yet
 * waits for one before its first turn. Those that a killed process left are deleted at the next start.
 */
import { closeSync, openSync, readdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { forCallers } from "../../../errors.ts";
import type { DataHealth } from "../data-health.ts";
import { fileError } from "../files.ts";
import type { SyncThreads } from "./sync-threads.ts";

/** The most that are made before somebody asks; at first as many as were taken so far. */
const AHEAD = 32;
const NAME = /^spare-\d+\.new$/;

interface Waiting {
  readonly resolve: (path: string) => void;
  readonly reject: (error: unknown) => void;
}

/** What they are made of. */
export interface SpareFilesOptions {
  readonly directory: string;
  /** Called when the first file is made, and so not by a start, which may find the disk full. */
  readonly makeTemplate: () => Uint8Array;
  readonly threads: SyncThreads;
  readonly health: Pick<DataHealth, "found">;
}

/** Copies of one template, in the directory of the files. */
export class SpareFiles {
  readonly #options: SpareFilesOptions;
  #template: Uint8Array | undefined;
  readonly #ready: string[] = [];
  readonly #waiting: Waiting[] = [];
  #making = 0;
  #taken = 0;
  #last = 0;

  constructor(options: SpareFilesOptions) {
    this.#options = options;
    const { directory } = options;
    for (const name of readdirSync(directory)) if (NAME.test(name)) rmSync(join(directory, name));
  }

  /** The path of a whole file, which is the caller's from now on: to rename, or to {@link giveBack}. */
  async take(): Promise<string> {
    const ready = this.#ready.pop();
    const taken = ready ?? new Promise<string>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    this.#taken += 1;
    const ahead = Math.min(AHEAD, this.#taken) - this.#ready.length;
    while (this.#making < this.#waiting.length + ahead) this.#make();
    return await taken;
  }

  /** It wasn't used. */
  giveBack(path: string): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#ready.push(path);
    else next.resolve(path);
  }

  /** Deletes what is left. */
  close(): void {
    for (const path of this.#ready.splice(0)) rmSync(path, { force: true });
  }

  #make(): void {
    this.#making += 1;
    this.#last += 1;
    const path = join(this.#options.directory, `spare-${this.#last}.new`);
    this.#write(path).then(
      () => {
        this.#making -= 1;
        this.giveBack(path);
      },
      (error: unknown) => {
        this.#making -= 1;
        rmSync(path, { force: true });
        const told = fileError(path, error);
        this.#options.health.found(told);
        this.#waiting.shift()?.reject(forCallers(told));
      },
    );
  }

  async #write(path: string): Promise<void> {
    this.#template ??= this.#options.makeTemplate();
    const fd = openSync(path, "w");
    try {
      writeSync(fd, this.#template);
      await this.#options.threads.sync({ kind: "file", fd });
    } finally {
      closeSync(fd);
    }
  }
}
