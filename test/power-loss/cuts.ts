/** The ground of the power-loss test: a directory over a modelled disk, with a way to cut the power. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ground } from "./harness.ts";
import type { Random } from "./random.ts";
import { type CutKind, type ShimCounters, ShimmedDirectory, type ShimOptions } from "./shim.ts";

export class CutGround implements Ground, Disposable {
  /** Cuts made, by kind. */
  readonly made: Record<CutKind, number> = { cut: 0, kept: 0, torn: 0 };
  /** Of the processes so far: proves that the shim was in force. */
  readonly seen = { writes: 0, syncs: 0, faults: 0, skippedSyncs: 0 };
  options: ShimOptions;
  readonly #root = mkdtempSync(join(tmpdir(), "troupe-power-loss-"));
  readonly #directory = new ShimmedDirectory(this.#root);
  readonly #kinds: readonly CutKind[];

  constructor(
    kinds: readonly CutKind[] = ["cut", "kept", "torn"],
    options: ShimOptions = { syncDelayUs: 1000 },
  ) {
    this.#kinds = kinds;
    this.options = options;
  }

  get path(): string {
    return this.#directory.path;
  }

  get counters(): ShimCounters {
    return this.#directory.counters();
  }

  environment(): Record<string, string> {
    return this.#directory.environment(this.options);
  }

  arm(): void {
    this.#directory.arm();
  }

  cut(random: Random): void {
    const { writes, syncs, faults, skippedSyncs } = this.counters;
    this.seen.writes += writes;
    this.seen.syncs += syncs;
    this.seen.faults += faults;
    this.seen.skippedSyncs += skippedSyncs;
    const kind = random.pick(this.#kinds);
    this.made[kind]++;
    this.#directory.cut(kind, random);
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}
