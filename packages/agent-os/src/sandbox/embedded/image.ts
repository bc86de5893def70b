/**
 * Image: the files of one embedded sandbox, as the difference to an empty one.
 *
 * The truth is here, on the side of the runtime; a worker works on a copy. It comes with a worker's first operation for
 * this sandbox, and each operation brings back what it changed. So a worker that is ended in the middle of a command takes
 * nothing with it but that command's own changes, a worker serves many sandboxes one after the other, and a sandbox that
 * does nothing costs its files alone.
 *
 * An image never changes. What an operation changed makes the next one, which shares all else with it and takes its place when it is
 * saved: whoever looks sees one or the other, however many turns of the runtime the next one takes to make.
 */
import { isDevice } from "../devices.ts";
import type { ImageChanges, ImageEntry } from "../file-store.ts";
import { inTurns } from "../turns.ts";

/** A name in a directory. What has no entry is there for what is below it. */
interface Place {
  entry: ImageEntry | undefined;
  readonly below: Map<string, Place>;
  /** Who may change it. */
  readonly maker: Draft | undefined;
}

/** The files of a sandbox. */
export class Image {
  static readonly empty = new Image({ entry: undefined, below: new Map(), maker: undefined }, 0, 0, 0);

  /** Grows with each change: a worker whose copy has this number needs no other. */
  readonly version: number;
  /** How many files, directories and links there are, and removals of what an empty sandbox has. */
  readonly paths: number;
  /** Their paths, what files hold, and what links lead to, together. */
  readonly bytes: number;
  readonly #root: Place;

  private constructor(root: Place, version: number, paths: number, bytes: number) {
    this.#root = root;
    this.version = version;
    this.paths = paths;
    this.bytes = bytes;
  }

  /** All of it, parents before what they contain, for a worker that has no copy. */
  changes(): ImageChanges {
    const found: ImageChanges[number][] = [];
    collect(this.#root, "", found);
    return found;
  }

  /** The image behind what an operation changed. */
  async with(changes: ImageChanges): Promise<Image> {
    if (changes.length === 0) return this;
    const draft = new Draft(this);
    let root = this.#root;
    for await (const page of inTurns(changes))
      for (const [path, entry] of page) if (!isDevice(path)) root = draft.put(root, path, entry);
    return new Image(root, this.version + 1, draft.paths, draft.bytes);
  }
}

/** An image in the making. It copies each directory that it changes once. */
class Draft {
  paths: number;
  bytes: number;

  constructor({ paths, bytes }: Image) {
    this.paths = paths;
    this.bytes = bytes;
  }

  put(root: Place, path: string, entry: ImageEntry): Place {
    const pathBytes = Buffer.byteLength(path);
    const replace = (place: Place | undefined) => this.#replace(place, entry, pathBytes);
    return this.#at(root, path.split("/"), 1, replace) ?? this.#own(undefined);
  }

  /** What is at some names below a place is what `replace` makes of it; nothing stays of a place that has nothing. */
  #at(
    place: Place | undefined,
    names: readonly string[],
    depth: number,
    replace: (place: Place | undefined) => Place | undefined,
  ): Place | undefined {
    const name = names[depth];
    if (name === undefined) return replace(place);
    const before = place?.below.get(name);
    const after = this.#at(before, names, depth + 1, replace);
    if (after === before) return place;
    const own = this.#own(place);
    if (after === undefined) own.below.delete(name);
    else own.below.set(name, after);
    return isEmpty(own) ? undefined : own;
  }

  #replace(place: Place | undefined, entry: ImageEntry, pathBytes: number): Place | undefined {
    this.#count(place?.entry, pathBytes, -1);
    // What a path contained goes with it; a directory's new content comes behind it.
    const below = entry.type === "directory" ? this.#own(place).below : this.#removalsIn(place, pathBytes);
    const next = { entry: entry.type === "removed" && !entry.given ? undefined : entry, below, maker: this };
    this.#count(next.entry, pathBytes, 1);
    return isEmpty(next) ? undefined : next;
  }

  /** Removals stay whatever comes above them: they hold also when there is a directory again. */
  #removalsIn(place: Place | undefined, pathBytes: number): Map<string, Place> {
    const stay = new Map<string, Place>();
    for (const [name, lower] of place?.below ?? []) {
      const bytes = pathBytes + 1 + Buffer.byteLength(name);
      const entry = lower.entry?.type === "removed" ? lower.entry : undefined;
      if (entry === undefined) this.#count(lower.entry, bytes, -1);
      const kept = { entry, below: this.#removalsIn(lower, bytes), maker: this };
      if (!isEmpty(kept)) stay.set(name, kept);
    }
    return stay;
  }

  #count(entry: ImageEntry | undefined, pathBytes: number, change: 1 | -1): void {
    if (entry === undefined) return;
    this.paths += change;
    this.bytes += change * (pathBytes + bytesOf(entry));
  }

  #own(place: Place | undefined): Place {
    if (place?.maker === this) return place;
    return { entry: place?.entry, below: new Map(place?.below), maker: this };
  }
}

function collect(place: Place, path: string, found: ImageChanges[number][]): void {
  for (const [name, { entry }] of place.below)
    if (entry !== undefined) found.push([`${path}/${name}`, entry]);
  for (const [name, next] of place.below) if (next.below.size > 0) collect(next, `${path}/${name}`, found);
}

function isEmpty({ entry, below }: Place): boolean {
  return entry === undefined && below.size === 0;
}

function bytesOf(entry: ImageEntry): number {
  if (entry.type === "symlink") return Buffer.byteLength(entry.target);
  return entry.type === "file" ? entry.content.byteLength : 0;
}
