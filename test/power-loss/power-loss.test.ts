/**
 * Cuts the power of a loaded Troupe server and looks whether anything is gone that anybody was told of.
 *
 * The model of the disk is shim.c's, proved in shim.test.ts. More cuts by hand: `node test/power-loss/run.ts`.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { CutGround } from "./cuts.ts";
import { failAndGoOn, failFromTheStart, failUntilExit } from "./faults.ts";
import { runRounds, TROUPE_SERVER } from "./harness.ts";
import { Ledger } from "./ledger.ts";
import { Random, seedOfThisRun } from "./random.ts";
import { buildShim, findCompiler } from "./shim.ts";

const compiler = findCompiler();
const why = "missing" in compiler ? compiler.missing : undefined;
/** Another program that speaks the same protocol, to test the test. */
const other = process.env.TROUPE_TEST_SERVER;
const server = other === undefined ? TROUPE_SERVER : [other];
const STORAGE_EXIT_CODE = 74;

describe.skipIf(why !== undefined)(`a power cut${why === undefined ? "" : ` (skipped: ${why})`}`, () => {
  const seed = seedOfThisRun();
  const random = new Random(seed);
  const replay = `seed ${seed}: TROUPE_TEST_SEED=${seed}`;
  beforeAll(() => void buildShim());

  test("50 cuts at random moments lose no acknowledged write and leave no half turn", {
    timeout: 600_000,
  }, async () => {
    using ground = new CutGround();
    const { ledger, problems, cutStarts } = await runRounds({ ground, server, random, cuts: 50 });
    expect(problems, replay).toEqual([]);
    expect(ledger.refused, replay).toBe(0);
    // A run that exercised nothing proves nothing.
    expect(ledger.acknowledged).toBeGreaterThan(200);
    expect(ledger.appliedUnknown).toBeGreaterThan(0);
    expect(cutStarts).toBeGreaterThan(0);
    expect(ground.seen.syncs).toBeGreaterThan(100);
    expect(Math.min(ground.made.cut, ground.made.kept, ground.made.torn)).toBeGreaterThan(0);
  });

  test.skipIf(other !== undefined)(
    "20 cuts leave an actor's database and its state as one turn wrote them",
    {
      timeout: 400_000,
    },
    async () => {
      using ground = new CutGround();
      const database = [...server, "--database"];
      const { ledger, problems } = await runRounds({ ground, server: database, random, cuts: 20 });
      expect(problems, replay).toEqual([]);
      expect(ledger.acknowledged).toBeGreaterThan(50);
      expect(ground.seen.syncs).toBeGreaterThan(50);
      using canary = new CutGround(["cut"], { noSync: "-wal" });
      const lost = await runRounds({ ground: canary, server: database, random, cuts: 5, loadMs: [100, 200] });
      expect(
        lost.problems.some((problem) => problem.includes("LOST")),
        replay,
      ).toBe(true);
    },
  );

  test.each([
    { what: "no sync does anything", noSync: true },
    { what: "no sync of a WAL does anything", noSync: "-wal" },
  ])("the canary: when $what the loss is seen", { timeout: 200_000 }, async ({ noSync }) => {
    using ground = new CutGround(["cut"], { noSync });
    const { ledger, problems } = await runRounds({ ground, server, random, cuts: 5, loadMs: [100, 200] });
    expect(ground.seen.skippedSyncs, replay).toBeGreaterThan(0);
    expect(ledger.acknowledged, replay).toBeGreaterThan(0);
    expect(
      problems.some((problem) => problem.includes("LOST")),
      replay,
    ).toBe(true);
  });

  test("a failed sync ends the process with its own code, and nothing acknowledged is lost", {
    timeout: 200_000,
  }, async () => {
    for (let round = 0; round < 3; round++) {
      using ground = new CutGround();
      const fail = `fdatasync:EIO:${random.between(1, 60)}`;
      const { exit, errors, faults, ledger, problems } = await failUntilExit({
        ground,
        server,
        random,
        fail,
      });
      const story = `${replay}, ${fail}\n${errors}`;
      expect({ exit: exit?.code, faults, problems }, story).toEqual({
        exit: STORAGE_EXIT_CODE,
        faults: 1,
        problems: [],
      });
      // What was being synced is unknown; what waited behind it was never written, which the audit checks.
      for (const error of ledger.errors.keys())
        expect(error, story).toMatch(/^storage\.commit_failed (unknown|no)$|^connection: /);
      expect(ledger.unknown, story).toBeGreaterThan(0);
    }
  });

  test("a sync that fails once, at or soon after the start, loses nothing acknowledged", {
    timeout: 400_000,
  }, async () => {
    using ground = new CutGround(["cut"]);
    const ledger = new Ledger();
    let hit = 0;
    // On a slow machine more of the first syncs are the start's own: until some come behind what was acknowledged.
    for (let n = 1; n <= 10 || (ledger.acknowledged === 0 && n <= 40); n++) {
      const fail = `sync:EIO:${n}`;
      const { faults, problems, errors } = await failFromTheStart({ ground, server, random, fail }, ledger);
      expect(problems, `${replay}, ${fail}\n${errors}`).toEqual([]);
      hit += faults;
    }
    expect(hit).toBeGreaterThan(5);
    expect(ledger.acknowledged).toBeGreaterThan(0);
  });

  test("a full disk refuses the writes that it hits, and only those", { timeout: 200_000 }, async () => {
    using ground = new CutGround(["cut"]);
    const first = random.between(20, 200);
    const fail = `pwrite:ENOSPC:${first}-${first + 40}:-wal`;
    const report = await failAndGoOn({ ground, server, random, fail, faults: 41, more: 200 });
    const story = `${replay}, ${fail}\n${report.errors}`;
    expect({ exit: report.exit, faults: report.faults, problems: report.problems }, story).toEqual({
      exit: undefined,
      faults: 41,
      problems: [],
    });
    expect([...report.ledger.errors.keys()], story).toEqual(["storage.disk_full no"]);
    expect(report.ledger.refused, story).toBeGreaterThan(0);
    expect(report.ledger.unknown, story).toBe(0);
    expect(report.neighbourReads, story).toBeGreaterThan(0);
    expect(report.acknowledgedAfter, story).toBeGreaterThanOrEqual(200);
  });
});
