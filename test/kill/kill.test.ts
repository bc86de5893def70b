/**
 * kill -9 of a loaded Troupe server at random moments: no acknowledged write is lost, none is applied twice.
 *
 * More kills by hand: `node test/kill/run.ts --kills 1000`.
 */
import { expect, test } from "vitest";
import { TROUPE_SERVER } from "../power-loss/harness.ts";
import { Random, seedOfThisRun } from "../power-loss/random.ts";
import { runKills } from "./kills.ts";

/** Another program that speaks the same protocol over HTTP, to test the test. */
const other = process.env.TROUPE_TEST_SERVER;
const server = other === undefined ? TROUPE_SERVER : [other];

test("30 kills -9 at random moments lose no acknowledged write and apply none twice", {
  timeout: 600_000,
}, async () => {
  const seed = seedOfThisRun();
  const replay = `TROUPE_TEST_SEED=${seed}`;
  const sockets = other === undefined;
  const { ledger, problems } = await runKills({
    kills: 30,
    clientKills: 10,
    random: new Random(seed),
    server,
    sockets,
  });
  expect(problems, replay).toEqual([]);
  // All that a caller may ever hear of a kill; the client may also have found nobody to send to.
  for (const error of ledger.errors.keys())
    expect(error, replay).toMatch(/^(connection: .*|client\.(outcome_unknown|not_sent))$/);
  expect([...ledger.errors.keys()], replay).toContain("client.outcome_unknown");
  expect(ledger.acknowledged, replay).toBeGreaterThan(100);
  expect(ledger.unknown, replay).toBeGreaterThan(0);
});

test("12 kills -9 leave an actor's database and its state as one turn wrote them", {
  timeout: 400_000,
}, async (context) => {
  if (other !== undefined) context.skip("the other server has no databases");
  const seed = seedOfThisRun();
  const replay = `TROUPE_TEST_SEED=${seed}`;
  const { ledger, problems } = await runKills({
    kills: 12,
    clientKills: 0,
    random: new Random(seed),
    server: [...server, "--database"],
    sockets: true,
  });
  expect(problems, replay).toEqual([]);
  expect(ledger.acknowledged, replay).toBeGreaterThan(50);
  expect(ledger.unknown, replay).toBeGreaterThan(0);
});

test("12 kills -9 lose no message of a queue that was acknowledged, and no message is handled twice", {
  timeout: 400_000,
}, async (context) => {
  if (other !== undefined) context.skip("the other server has no queues");
  const seed = seedOfThisRun();
  const replay = `TROUPE_TEST_SEED=${seed}`;
  const { ledger, problems } = await runKills({
    kills: 12,
    clientKills: 0,
    random: new Random(seed),
    server: [...server, "--queue"],
    sockets: true,
  });
  expect(problems, replay).toEqual([]);
  expect(ledger.acknowledged, replay).toBeGreaterThan(50);
  expect(ledger.unknown, replay).toBeGreaterThan(0);
});
