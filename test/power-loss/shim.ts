/** Builds shim.c and runs a process under it. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Disk, type Image, type NamePolicy } from "./disk.ts";
import { readOperations } from "./operation-log.ts";
import type { Random } from "./random.ts";

const SOURCES = ["shim.c", "shim-state.h"].map((name) => join(import.meta.dirname, name));

/** The C compiler, or why the tests that need one can't run here. */
export function findCompiler(): { readonly path: string } | { readonly missing: string } {
  if (process.platform !== "linux") return { missing: `the shim is for Linux, this is ${process.platform}` };
  for (const path of [process.env.TROUPE_TEST_CC, "gcc", "cc"]) {
    if (path && spawnSync(path, ["--version"]).status === 0) return { path };
  }
  return { missing: process.env.TROUPE_TEST_CC_WHY || "no C compiler (TROUPE_TEST_CC, gcc, cc)" };
}

/** The built library; built once per version of its sources. */
export function buildShim(): string {
  const compiler = findCompiler();
  if ("missing" in compiler) throw new Error(compiler.missing);
  const hash = createHash("sha256");
  for (const source of SOURCES) hash.update(readFileSync(source));
  const user = process.getuid?.() ?? 0;
  const library = join(tmpdir(), `troupe-shim-${user}-${hash.digest("hex").slice(0, 16)}.so`);
  if (existsSync(library)) return library;
  const fresh = `${library}.${process.pid}`;
  execFileSync(compiler.path, [
    "-O2",
    "-shared",
    "-fPIC",
    "-o",
    fresh,
    join(import.meta.dirname, "shim.c"),
    "-ldl",
    "-lpthread",
  ]);
  execFileSync("mv", [fresh, library]);
  return library;
}

export interface ShimOptions {
  /** `call:errno:n[+ | -m][:part of the path]`, several by commas. Call: a function's name, "sync" or "anywrite". */
  readonly fail?: string;
  /** True: no sync does anything. A text: none of a file whose path holds it. */
  readonly noSync?: boolean | string;
  /** Each sync takes up to this much longer. Default: 0. */
  readonly syncDelayUs?: number;
  /** False: faults and noSync wait for `arm`. Default: true. */
  readonly armed?: boolean;
}

export interface ShimCounters {
  readonly inForce: boolean;
  readonly inFlight: number;
  readonly writes: number;
  readonly syncs: number;
  readonly opens: number;
  readonly names: number;
  readonly faults: number;
  readonly skippedSyncs: number;
}

export type CutKind = "cut" | "kept" | "torn";

/** A data directory with a disk below it. One process at a time. */
export class ShimmedDirectory {
  readonly path: string;
  readonly #image: string;
  readonly #policy: NamePolicy;
  #disk: Disk;

  constructor(root: string, policy: NamePolicy = "strict") {
    this.path = join(root, "data");
    this.#image = join(root, "image");
    this.#policy = policy;
    mkdirSync(this.path, { recursive: true });
    mkdirSync(this.#image, { recursive: true });
    this.#disk = new Disk(this.path, policy);
  }

  /** The environment of the next process. One before it that was not cut counts as killed: its files are kept. */
  environment(options: ShimOptions = {}): Record<string, string> {
    if (existsSync(join(this.#image, "log"))) this.#keep();
    rmSync(join(this.#image, "control"), { force: true });
    const noSync = options.noSync === true ? "1" : options.noSync === false ? undefined : options.noSync;
    return {
      LD_PRELOAD: buildShim(),
      TROUPE_SHIM_DIR: this.path,
      TROUPE_SHIM_IMAGE: this.#image,
      UV_USE_IO_URING: "0",
      ...(options.fail === undefined ? {} : { TROUPE_SHIM_FAIL: options.fail }),
      ...(noSync === undefined ? {} : { TROUPE_SHIM_NOSYNC: noSync }),
      ...(options.syncDelayUs === undefined
        ? {}
        : { TROUPE_SHIM_SYNC_DELAY_US: String(options.syncDelayUs) }),
      ...(options.armed === false ? { TROUPE_SHIM_ARMED: "0" } : {}),
    };
  }

  /** From now on the faults given count calls, and noSync acts. */
  arm(): void {
    const fd = openSync(join(this.#image, "control"), "r+");
    writeSync(fd, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0), 0, 8, 8);
    closeSync(fd);
  }

  counters(): ShimCounters {
    const page = existsSync(join(this.#image, "control"))
      ? readFileSync(join(this.#image, "control"))
      : Buffer.alloc(512);
    const slot = (n: number) => Number(page.readBigUInt64LE(n * 8));
    return {
      inForce: slot(0) === 1,
      inFlight: slot(2),
      writes: slot(3),
      syncs: slot(4),
      opens: slot(5),
      names: slot(6),
      faults: slot(7),
      skippedSyncs: slot(8),
    };
  }

  /** The process is dead: puts the files to what is left of them. Throws if the shim missed an operation. */
  cut(kind: CutKind, random: Random): void {
    if (kind === "kept") return this.#keep();
    this.#replay();
    restore(this.path, kind === "cut" ? this.#disk.cut() : this.#disk.torn(random));
    this.#disk = new Disk(this.path, this.#policy);
  }

  #keep(): void {
    this.#replay();
    this.#disk.settle(this.path);
  }

  #replay(): void {
    if (!this.counters().inForce) throw new Error("The shim was not in force");
    this.#disk.replay(readOperations(readFileSync(join(this.#image, "log"))));
    if (this.#disk.unmodelled.length > 0)
      throw new Error(`Not in the model: ${this.#disk.unmodelled.join(", ")}`);
    const differences = this.counters().inFlight === 0 ? this.#disk.differences(this.path) : [];
    if (differences.length > 0) throw new Error(`The shim missed an operation: ${differences.join("; ")}`);
    rmSync(join(this.#image, "log"));
  }
}

function restore(directory: string, image: Image): void {
  rmSync(directory, { recursive: true });
  mkdirSync(directory);
  for (const [path, bytes] of image) {
    if (bytes === undefined) mkdirSync(join(directory, path));
    else writeFileSync(join(directory, path), bytes);
  }
}
