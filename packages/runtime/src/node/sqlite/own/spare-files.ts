/**
 * SpareFiles: new actors' files, made ahead, and the word of an actor's creation that is not promised yet.
 *
 * A file that has an actor's name must be whole after a power cut, and an actor whose file is gone must not be taken for
 * one that has no file yet. So a spare has its actor's digits in its name before there is an actor: a copy of the template,
 * whole and durable with its name, made by the threads beside everybody else's syncs, a few ahead. Who creates an actor
 * takes one, and its digits become those of the actor's id. What is on the disk then says how far the creation came:
 *
 *   its row, and the spare                 nobody was told of the actor: it is given back
 *   its row, the file, and the spare       the file was opened (it is a second name of the spare's); as above, unless the
 *                                          file says that the creation has ended
 *   its row, and the file                  the first batch is durable, and with it the file's name: then the spare goes
 *   its row alone                          the file was taken away: it is missing, and nothing is made in its place
 *
 * Spares of nobody, which a killed process left, are deleted at the next start.
 */
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { forCallers } from "../data-errors.ts";
import type { DataHealth } from "../data-health.ts";
import { fileError } from "../files.ts";
import type { SyncThreads } from "./sync-threads.ts";

/** The most that are made before somebody asks; at first as many as were taken so far. */
const AHEAD = 32;
const NAME = /^spare-([0-9a-f]+)\.new$/;

interface Waiting {
  readonly resolve: (digits: string) => void;
  readonly reject: (error: unknown) => void;
}

/** What they are made of. */
export interface SpareFilesOptions {
  readonly directory: string;
  /** Called when the first file is made, and so not by a start, which may find the disk full. */
  readonly makeTemplate: () => Uint8Array;
  readonly threads: SyncThreads;
  /** Digits that no actor has. */
  readonly mint: () => string;
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

  constructor(options: SpareFilesOptions) {
    this.#options = options;
  }

  /** The digits of a spare, whole and durable, which is the caller's from now on: for an actor's id, or to {@link giveBack}. */
  async take(): Promise<string> {
    const ready = this.#ready.pop();
    const taken = ready ?? new Promise<string>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    this.#taken += 1;
    const ahead = Math.min(AHEAD, this.#taken) - this.#ready.length;
    while (this.#making < this.#waiting.length + ahead) this.#make();
    return await taken;
  }

  /** No actor has its digits. */
  giveBack(digits: string): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#ready.push(digits);
    else next.resolve(digits);
  }

  /** Deletes what is left. */
  close(): void {
    for (const digits of this.#ready.splice(0)) rmSync(this.#path(digits), { force: true });
  }

  #path(digits: string): string {
    return sparePath(this.#options.directory, digits);
  }

  #make(): void {
    this.#making += 1;
    const digits = this.#options.mint();
    this.#write(this.#path(digits)).then(
      () => {
        this.#making -= 1;
        this.giveBack(digits);
      },
      (error: unknown) => {
        this.#making -= 1;
        const path = this.#path(digits);
        rmSync(path, { force: true });
        const told = fileError(path, error);
        this.#options.health.found(told);
        this.#waiting.shift()?.reject(forCallers(told));
      },
    );
  }

  async #write(path: string): Promise<void> {
    const { makeTemplate, threads } = this.#options;
    this.#template ??= makeTemplate();
    const fd = openSync(path, "w");
    try {
      writeSync(fd, this.#template);
      const named = threads.syncDirectory();
      // Heard below, when nobody needs the descriptor any more.
      named.catch(() => {});
      await threads.sync({ kind: "file", fd });
      await named;
    } finally {
      closeSync(fd);
    }
  }
}

/** The digits of what is a spare by its name. */
export function spareDigits(name: string): string | undefined {
  return NAME.exec(name)?.[1];
}

/** Where the spare with these digits is. */
export function sparePath(directory: string, digits: string): string {
  return join(directory, `spare-${digits}.new`);
}
