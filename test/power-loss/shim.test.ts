/**
 * Proves the shim with a small program (probe.ts): what it says a disk holds is what a disk must hold, and without
 * syncs the loss is seen. Everything after this trusts it.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Child, moment } from "./child.ts";
import type { NamePolicy } from "./disk.ts";
import { Random, seedOfThisRun } from "./random.ts";
import { type CutKind, findCompiler, ShimmedDirectory, type ShimOptions } from "./shim.ts";

const compiler = findCompiler();
const skipped = "missing" in compiler;
const name = `the power-loss shim${skipped ? ` (skipped: ${compiler.missing})` : ""}`;
const PROBE = join(import.meta.dirname, "probe.ts");
const CALLS = join(import.meta.dirname, "calls.ts");

interface Run {
  readonly mode: "append" | "append-unsynced-name" | "append-early" | "sqlite";
  readonly kinds: readonly CutKind[];
  readonly cuts: number;
  readonly options?: ShimOptions;
  readonly policy?: NamePolicy;
  /** Some cuts come before the first row was acknowledged. Default: none. */
  readonly cutStarts?: boolean;
}

interface Outcome {
  /** Rows that were acknowledged and are gone, over all cuts. */
  readonly lost: number;
  readonly acknowledged: number;
  readonly damaged: string[];
  readonly seed: number;
}

async function cutPower({
  mode,
  kinds,
  cuts,
  options = {},
  policy = "strict",
  cutStarts = false,
}: Run): Promise<Outcome> {
  const root = mkdtempSync(join(tmpdir(), "troupe-shim-"));
  const seed = seedOfThisRun();
  const random = new Random(seed);
  const outcome = { lost: 0, acknowledged: 0, damaged: [] as string[], seed };
  try {
    const directory = new ShimmedDirectory(root, policy);
    let promised = 0;
    for (let cut = 0; cut <= cuts; cut++) {
      await using probe = new Child(
        [PROBE, mode, directory.path],
        directory.environment({ syncDelayUs: 500, ...options }),
      );
      const found = await probe.line("found ").catch(() => undefined);
      if (found === undefined) {
        outcome.damaged.push(probe.lines.at(-1) ?? probe.errors);
        return outcome;
      }
      outcome.lost += Math.max(0, promised - Number(found));
      if (cutStarts && random.next() < 0.2) await probe.line("found");
      else await probe.line(String(Number(found) + 1));
      await moment(random.between(0, 60));
      await probe.kill();
      promised = Math.max(Number(found), ...probe.lines.filter((line) => /^\d+$/.test(line)).map(Number));
      outcome.acknowledged += promised - Number(found);
      directory.cut(random.pick(kinds), random);
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  return outcome;
}

/** Path → text of every file. */
function listing(directory: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const path of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
    if (statSync(join(directory, path)).isFile()) found[path] = readFileSync(join(directory, path), "utf8");
  }
  return found;
}

async function withDirectory(
  act: (directory: ShimmedDirectory, random: Random) => Promise<void>,
): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "troupe-shim-"));
  try {
    await act(new ShimmedDirectory(root), new Random(1));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** On a machine that does other things as well. */
const timeout = 60_000;
const all: readonly CutKind[] = ["cut", "kept", "torn"];

describe.skipIf(skipped)(name, { timeout }, () => {
  test.each(["append", "sqlite"] as const)(
    "%s: what was acknowledged is there after every kind of cut",
    async (mode) => {
      const outcome = await cutPower({ mode, kinds: all, cuts: 10, cutStarts: true });
      expect(outcome).toMatchObject({ lost: 0, damaged: [] });
      expect(outcome.acknowledged, `seed ${outcome.seed}`).toBeGreaterThan(50);
    },
  );

  test.each(["append", "sqlite"] as const)("%s: without syncs the loss is seen", async (mode) => {
    const { lost, damaged, acknowledged } = await cutPower({
      mode,
      kinds: ["cut"],
      cuts: 3,
      options: { noSync: true },
    });
    expect(acknowledged).toBeGreaterThan(0);
    expect(lost + damaged.length).toBeGreaterThan(0);
  });

  test("sqlite: with only the WAL's syncs gone the loss is seen, and the database is whole", async () => {
    const options = { noSync: "-wal" };
    const { lost, damaged, seed } = await cutPower({ mode: "sqlite", kinds: ["cut"], cuts: 3, options });
    expect(damaged, `seed ${seed}`).toEqual([]);
    expect(lost).toBeGreaterThan(0);
  });

  test("a program that acknowledges when the sync begins is caught", async () => {
    const options = { syncDelayUs: 2000 };
    expect((await cutPower({ mode: "append-early", kinds: ["cut"], cuts: 5, options })).lost).toBeGreaterThan(
      0,
    );
  });

  test("a plain kill loses nothing, synced or not", async () => {
    const options = { noSync: true };
    expect(await cutPower({ mode: "sqlite", kinds: ["kept"], cuts: 5, options })).toMatchObject({
      lost: 0,
      damaged: [],
    });
  });

  test("a file whose directory was never synced is absent after a cut, unless names are durable at once", async () => {
    const mode = "append-unsynced-name";
    expect((await cutPower({ mode, kinds: ["cut"], cuts: 1 })).lost).toBeGreaterThan(0);
    expect((await cutPower({ mode, kinds: ["cut"], cuts: 3, policy: "ordered" })).lost).toBe(0);
  });

  test("every way in which Node writes is seen, and only what was synced is durable", async () => {
    await withDirectory(async (directory, random) => {
      await using child = new Child([CALLS, "all", directory.path], directory.environment());
      await child.line("done");
      await child.kill();
      const before = listing(directory.path);
      // Throws when the files are not what the shim's log gives.
      directory.cut("kept", random);
      expect(listing(directory.path)).toEqual(before);
      await using second = new Child([CALLS, "read", directory.path], directory.environment());
      await second.line("done");
      await second.kill();
      directory.cut("cut", random);
      expect(listing(directory.path)).toEqual({ "synced/whole": "durable", "synced/renamed": "moved" });
    });
  });

  test("after a failed sync a later one succeeds and saves nothing of it, as on Linux", async () => {
    await withDirectory(async (directory, random) => {
      const options = { fail: "fdatasync:EIO:2:file" };
      await using child = new Child([CALLS, "failed-sync", directory.path], directory.environment(options));
      expect(await child.line("error ")).toBe("EIO");
      await child.line("done");
      await child.kill();
      expect(directory.counters()).toMatchObject({ faults: 1, inFlight: 0, inForce: true });
      expect(listing(directory.path)).toEqual({ file: "first.second.third." });
      directory.cut("cut", random);
      expect(listing(directory.path)).toEqual({ file: "first.\0\0\0\0\0\0\0third." });
    });
  });

  test.each([
    { fail: "write:ENOSPC:1:file", error: "ENOSPC" },
    { fail: "open:EMFILE:1:file", error: "EMFILE" },
  ])("$fail fails that call", async ({ fail, error }) => {
    await withDirectory(async (directory) => {
      await using child = new Child([CALLS, "failed-sync", directory.path], directory.environment({ fail }));
      expect(await child.line("error ")).toBe(error);
    });
  });
});
