/**
 * Disk: replays the shim's log and tells what a disk may hold after a power cut.
 *
 * A directory has two tables of names: the durable one, and the one that processes see. A name that was made, moved or
 * removed is durable when its directory was synced after that ("strict"); with "ordered" at once, as a journalling file
 * system mostly does. The directory itself is taken to be durable. A file that was written through mmap (SQLite's
 * -shm) is dropped at a cut.
 *
 * After a plain kill nothing is lost and nothing has become durable: `settle` takes over what the page cache really
 * holds, and the same Disk goes on with the next process's log. After a cut a new Disk starts from what was restored.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Change, DiskFile } from "./disk-file.ts";
import type { Operation } from "./operation-log.ts";
import type { Random } from "./random.ts";

export type NamePolicy = "strict" | "ordered";
/** Relative path → contents; undefined for a directory. Parents stand before their children. */
export type Image = Map<string, Buffer | undefined>;

type Node = DiskFile | DiskDirectory;
interface NameChange {
  readonly sequence: number;
  readonly set?: readonly [name: string, node: Node];
  readonly remove?: string;
}

class DiskDirectory {
  readonly kind = "directory";
  readonly durable = new Map<string, Node>();
  readonly names = new Map<string, Node>();
  pending: NameChange[] = [];

  change(change: NameChange, policy: NamePolicy): void {
    applyName(this.names, change);
    if (policy === "ordered") applyName(this.durable, change);
    else this.pending.push(change);
  }

  synced(sequence: number, ok: boolean): void {
    const covered = this.pending.filter((change) => change.sequence <= sequence);
    this.pending = this.pending.filter((change) => change.sequence > sequence);
    if (ok) for (const change of covered) applyName(this.durable, change);
  }
}

function applyName(names: Map<string, Node>, { set, remove }: NameChange): void {
  if (remove !== undefined) names.delete(remove);
  if (set !== undefined) names.set(...set);
}

export class Disk {
  /** What the shim saw and the model has no rule for: a test must fail on any. */
  readonly unmodelled: string[] = [];
  readonly #policy: NamePolicy;
  readonly #root = new DiskDirectory();
  readonly #nodes = new Map<number, Node>();
  readonly #syncs = new Map<number, number>();
  #sequence = 0;

  /** Everything that is in `directory` now counts as durable. */
  constructor(directory: string, policy: NamePolicy = "strict") {
    this.#policy = policy;
    this.#nodes.set(statSync(directory).ino, this.#root);
    this.#scan(directory, this.#root);
  }

  replay(operations: Iterable<Operation>): void {
    this.#syncs.clear();
    for (const operation of operations) this.#replay(operation);
  }

  /** What a disk that wrote only what it had to holds. */
  cut(): Image {
    return image(
      this.#root,
      (directory) => directory.durable,
      (file) => file.cut(),
    );
  }

  /** What a disk may hold that wrote some of the rest as well, in any order. */
  torn(random: Random): Image {
    const names = (directory: DiskDirectory) => {
      const some = new Map(directory.durable);
      const count = random.between(0, directory.pending.length);
      for (const change of directory.pending.slice(0, count)) applyName(some, change);
      return some;
    };
    return image(this.#root, names, (file) => file.torn(random));
  }

  /** Paths whose real state is not what the replay gives: none, when no call was in flight at the kill. */
  differences(directory: string): string[] {
    const expected = image(
      this.#root,
      (each) => each.names,
      (file) => file.cached(),
      { mapped: true },
    );
    const found: string[] = [];
    for (const path of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
      if (!expected.has(path)) found.push(`${path} exists`);
    }
    for (const [path, bytes] of expected) {
      const real = readOrUndefined(join(directory, path));
      if (real === undefined) found.push(`${path} is missing`);
      else if (real !== "directory" && bytes !== undefined && !real.equals(bytes) && !this.#isMapped(path)) {
        found.push(`${path}: ${describeDifference(bytes, real)}`);
      }
    }
    return found;
  }

  /** After a plain kill: the page cache is as it is; what it holds beyond the log counts as unsynced. */
  settle(directory: string): void {
    this.#settle(directory, this.#root);
  }

  #settle(directory: string, node: DiskDirectory): void {
    const real = new Set(readdirSync(directory));
    for (const name of [...node.names.keys()]) {
      if (!real.has(name)) node.change({ sequence: ++this.#sequence, remove: name }, this.#policy);
    }
    for (const name of real) {
      const path = join(directory, name);
      const { ino } = statSync(path);
      const known = node.names.get(name);
      const child =
        known ??
        this.#nodes.get(ino) ??
        (statSync(path).isDirectory() ? new DiskDirectory() : new DiskFile());
      this.#nodes.set(ino, child);
      if (known === undefined) node.change({ sequence: ++this.#sequence, set: [name, child] }, this.#policy);
      if (child.kind === "directory") this.#settle(path, child);
      else this.#settleFile(child, readFileSync(path));
    }
  }

  #settleFile(file: DiskFile, real: Buffer): void {
    const cached = file.cached();
    if (file.mapped || real.equals(cached)) return;
    if (real.length < cached.length) file.change({ sequence: ++this.#sequence, at: real.length });
    for (let at = 0; at < real.length; at += 512) {
      const piece = real.subarray(at, at + 512);
      if (!piece.equals(file.cached().subarray(at, at + 512))) {
        file.change({ sequence: ++this.#sequence, at, data: Buffer.from(piece) });
      }
    }
  }

  #scan(directory: string, node: DiskDirectory): void {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      const child = entry.isDirectory() ? new DiskDirectory() : new DiskFile(readFileSync(path));
      this.#nodes.set(statSync(path).ino, child);
      node.durable.set(entry.name, child);
      node.names.set(entry.name, child);
      if (child.kind === "directory") this.#scan(path, child);
    }
  }

  #replay(operation: Operation): void {
    const sequence = ++this.#sequence;
    switch (operation.type) {
      case "start":
        return;
      case "create":
      case "mkdir":
        return this.#create(operation, sequence);
      case "write":
        return this.#change(operation.inode, { sequence, at: operation.offset, data: operation.data });
      case "truncate":
        return this.#change(operation.inode, { sequence, at: operation.size });
      case "syncBegin":
        this.#syncs.set(operation.token, sequence);
        return;
      case "syncEnd":
        return this.#node(operation.inode).synced(this.#syncs.get(operation.token) ?? 0, operation.ok);
      case "unlink":
        return this.#rename(operation.path, undefined, sequence);
      case "rename":
        return this.#rename(operation.from, operation.to, sequence);
      case "link": {
        const { directory, name } = this.#lookup(operation.to);
        const node = this.#find(operation.from);
        return directory.change({ sequence, set: [name, node] }, this.#policy);
      }
      case "map":
        return this.#map(operation.inode);
      case "unmodelled":
        this.unmodelled.push(operation.what);
    }
  }

  #create({ type, path, inode }: Operation & { type: "create" | "mkdir" }, sequence: number): void {
    const node = type === "mkdir" ? new DiskDirectory() : new DiskFile();
    this.#nodes.set(inode, node);
    const { directory, name } = this.#lookup(path);
    directory.change({ sequence, set: [name, node] }, this.#policy);
  }

  #change(inode: number, change: Change): void {
    const node = this.#node(inode);
    if (node.kind === "file") node.change(change);
  }

  #map(inode: number): void {
    const node = this.#node(inode);
    if (node.kind === "file") node.mapped = true;
  }

  /** Within one directory a rename is one change, which a cut takes whole or not at all. */
  #rename(from: string, to: string | undefined, sequence: number): void {
    const source = this.#lookup(from);
    if (to === undefined) return source.directory.change({ sequence, remove: source.name }, this.#policy);
    const target = this.#lookup(to);
    const set = [target.name, this.#find(from)] as const;
    if (source.directory === target.directory) {
      return source.directory.change({ sequence, remove: source.name, set }, this.#policy);
    }
    target.directory.change({ sequence, set }, this.#policy);
    source.directory.change({ sequence, remove: source.name }, this.#policy);
  }

  #lookup(path: string): { directory: DiskDirectory; name: string } {
    const parts = path.split("/");
    const name = parts.pop() ?? "";
    let directory = this.#root;
    for (const part of parts) {
      const next = directory.names.get(part);
      if (next?.kind !== "directory") throw new Error(`The log names ${path}, whose parent it never made`);
      directory = next;
    }
    return { directory, name };
  }

  #find(path: string): Node {
    const { directory, name } = this.#lookup(path);
    const node = directory.names.get(name);
    if (node === undefined) throw new Error(`The log names ${path}, which it never made`);
    return node;
  }

  #isMapped(path: string): boolean {
    const node = this.#find(path);
    return node.kind === "file" && node.mapped;
  }

  #node(inode: number): Node {
    const node = this.#nodes.get(inode);
    if (node === undefined) throw new Error(`The log writes to inode ${inode}, which it never made`);
    return node;
  }
}

function image(
  root: DiskDirectory,
  names: (directory: DiskDirectory) => Map<string, Node>,
  contents: (file: DiskFile) => Buffer,
  options: { mapped?: boolean } = {},
): Image {
  const found: Image = new Map();
  const visit = (directory: DiskDirectory, prefix: string) => {
    for (const [name, node] of names(directory)) {
      if (node.kind === "directory") {
        found.set(prefix + name, undefined);
        visit(node, `${prefix}${name}/`);
      } else if (!node.mapped || options.mapped === true) found.set(prefix + name, contents(node));
    }
  };
  visit(root, "");
  return found;
}

function readOrUndefined(path: string): Buffer | "directory" | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  return found.isDirectory() ? "directory" : readFileSync(path);
}

function describeDifference(expected: Buffer, real: Buffer): string {
  let at = 0;
  while (at < expected.length && at < real.length && expected[at] === real[at]) at++;
  return `${real.length} bytes, the log gives ${expected.length}; first difference at ${at}`;
}
