/**
 * Image: the files of one embedded sandbox, as the difference to an empty one.
 *
 * The truth is here, on the side of the runtime; a worker works on a copy. It comes with a worker's first operation for
 * this sandbox, and each operation brings back what it changed. So a worker that is ended in the middle of a command takes
 * nothing with it but that command's own changes, a worker serves many sandboxes one after the other, and a sandbox that
 * does nothing costs its files alone.
 */
import type { ImageChanges, ImageEntry } from "../file-store.ts";

/** The files of a sandbox. */
export class Image {
  readonly #entries = new Map<string, ImageEntry>();
  /** How many of them are below a path. */
  readonly #below = new Map<string, number>();
  #version = 0;
  #bytes = 0;

  /** Grows with each change: a worker whose copy has this number needs no other. */
  get version(): number {
    return this.#version;
  }

  /** How many files, directories and links there are, and removals of what an empty sandbox has. */
  get paths(): number {
    return this.#entries.size;
  }

  /** What its files hold together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** All of it, for a worker that has no copy. */
  changes(): ImageChanges {
    return [...this.#entries].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** True when there are at most so many paths behind these changes. */
  fits(changes: ImageChanges, most: number): boolean {
    if (this.#entries.size + changes.length <= most) return true;
    const behind = new Image();
    behind.apply(this.changes());
    behind.apply(changes);
    return behind.paths <= most || behind.paths <= this.paths;
  }

  /** Takes over what an operation changed. */
  apply(changes: ImageChanges): void {
    if (changes.length > 0) this.#version += 1;
    for (const [path, entry] of changes) {
      // What a path contained goes with it; a directory's new content comes behind it.
      if (entry.type !== "directory") this.#forgetBelow(path);
      this.#forget(path);
      if (entry.type === "removed" && !entry.given) continue;
      this.#entries.set(path, entry);
      this.#countAbove(path, 1);
      this.#bytes += bytesOf(entry);
    }
  }

  #forgetBelow(path: string): void {
    if (!this.#below.has(path)) return;
    for (const known of this.#entries.keys()) {
      if (known.startsWith(`${path}/`)) this.#forget(known);
    }
  }

  #forget(path: string): void {
    if (!this.#entries.has(path)) return;
    this.#bytes -= bytesOf(this.#entries.get(path));
    this.#entries.delete(path);
    this.#countAbove(path, -1);
  }

  #countAbove(path: string, change: number): void {
    for (let cut = path.lastIndexOf("/"); cut > 0; cut = path.lastIndexOf("/", cut - 1)) {
      const above = path.slice(0, cut);
      const count = (this.#below.get(above) ?? 0) + change;
      if (count === 0) this.#below.delete(above);
      else this.#below.set(above, count);
    }
  }
}

function bytesOf(entry: ImageEntry | undefined): number {
  return entry?.type === "file" ? entry.content.byteLength : 0;
}
