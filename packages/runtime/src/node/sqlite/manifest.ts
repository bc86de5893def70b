/**
 * The manifest of a data directory: the layout's version, the number of shards (fixed for good: an actor's shard is a
 * hash modulo this number), and the epoch of the last start.
 *
 * A generation is epoch * 2^24 + counter. The epoch is made durable before it is used, so a wake writes nothing and
 * generations grow over restarts and power cuts. After 16.7 million wakes the next epoch is taken; 2^29 epochs fit
 * in a safe integer.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { storageErrors } from "../../errors.ts";
import type { Generation } from "../../ports/directory.ts";
import { dataErrors } from "./data-errors.ts";
import { fileError, replaceFile } from "./files.ts";

/** The layout that this code writes. Goes up with every change that older code would misread. */
export const LAYOUT_VERSION = 1;

const COUNTER_RANGE = 2 ** 24;
const MAX_SHARDS = 256;

interface Manifest {
  readonly layout: number;
  readonly shards: number;
  readonly epoch: number;
}

/** The number of shards of a directory, or undefined for a new one. Throws `storage.newer_layout`, `storage.corrupt`. */
export function readShardCount(dataDir: string): number | undefined {
  return read(dataDir)?.shards;
}

/** Gives generations out; its making starts a new epoch, durably. */
export class GenerationCounter {
  readonly #dataDir: string;
  readonly #shards: number;
  #epoch: number;
  #counter = 0;

  constructor(dataDir: string, shards: number) {
    this.#dataDir = dataDir;
    this.#shards = shards;
    this.#epoch = read(dataDir)?.epoch ?? 0;
    this.#nextEpoch();
  }

  next(): Generation {
    if (this.#counter + 1 >= COUNTER_RANGE) this.#nextEpoch();
    this.#counter += 1;
    return this.#epoch * COUNTER_RANGE + this.#counter;
  }

  #nextEpoch(): void {
    const manifest: Manifest = { layout: LAYOUT_VERSION, shards: this.#shards, epoch: this.#epoch + 1 };
    replaceFile(pathOf(this.#dataDir), `${JSON.stringify(manifest)}\n`);
    this.#epoch = manifest.epoch;
    this.#counter = 0;
  }
}

function pathOf(dataDir: string): string {
  return join(dataDir, "manifest.json");
}

function read(dataDir: string): Manifest | undefined {
  const path = pathOf(dataDir);
  const text = readText(path);
  if (text === undefined) return undefined;
  const value = parse(path, text);
  const layout = field(path, value, "layout");
  if (layout > LAYOUT_VERSION) throw dataErrors.newer(path, layout, LAYOUT_VERSION);
  const shards = field(path, value, "shards");
  if (shards < 1 || shards > MAX_SHARDS) throw storageErrors.corrupt(path, `it names ${shards} shards`);
  return { layout, shards, epoch: field(path, value, "epoch") };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw fileError(path, error);
  }
}

function parse(path: string, text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Falls through: not JSON is as damaged as the wrong JSON.
  }
  throw storageErrors.corrupt(path, "it is not a JSON object");
}

function field(path: string, value: object, name: string): number {
  const found: unknown = Reflect.get(value, name);
  if (typeof found !== "number" || !Number.isSafeInteger(found) || found < 0) {
    throw storageErrors.corrupt(path, `"${name}" is not a number`);
  }
  return found;
}
