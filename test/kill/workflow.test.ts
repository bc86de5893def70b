/**
 * kill -9 of a process in the middle of a workflow, again and again: the next process goes on by itself, every step's
 * durable effect is there once, and each kill repeats one step at the most.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Child, moment } from "../power-loss/child.ts";
import { Random, seedOfThisRun } from "../power-loss/random.ts";
import { bundleServer } from "../power-loss/server-bundle.ts";
import { ROUNDS, STEPS } from "./workflow-server.ts";

const SERVER = bundleServer(join(import.meta.dirname, "workflow-server.ts"));
const KILLS = 8;

async function call<R>(endpoint: string, action: string): Promise<R> {
  const answer = await fetch(`${endpoint}/actor/walker/action/${action}?key=w`, {
    method: "POST",
    body: JSON.stringify({ args: [] }),
  });
  const { output } = (await answer.json()) as { output: R };
  return output;
}

/** Polls until `seen` says so; how often a file or an actor is asked is nobody's matter. */
async function until(seen: () => Promise<boolean> | boolean, what: string): Promise<void> {
  for (let round = 0; !(await seen()); round += 1) {
    if (round > 3_000) throw new Error(`${what} never came`);
    await moment(10);
  }
}

test(`${KILLS} kills -9 in the middle of a workflow: it is finished, and each step has happened once`, {
  timeout: 400_000,
}, async () => {
  const seed = seedOfThisRun();
  const random = new Random(seed);
  const root = mkdtempSync(join(tmpdir(), "troupe-kill-workflow-"));
  const file = join(root, "outside");
  const lines = (): string[] => {
    try {
      return readFileSync(file, "utf8").trim().split("\n");
    } catch {
      return [];
    }
  };
  const start = async () => {
    const child = new Child([SERVER, join(root, "data"), file]);
    return { child, endpoint: await child.line("ready") };
  };
  let running: Awaited<ReturnType<typeof start>> | undefined;
  try {
    running = await start();
    await call(running.endpoint, "done");
    for (let kill = 0; kill < KILLS; kill += 1) {
      // Nobody calls the actor: each process finds by itself what the one before it has left.
      const before = lines().length;
      await until(() => lines().length > before, "the next step");
      await moment(random.between(0, 60));
      await running.child.kill();
      running = await start();
    }
    await until(() => lines().includes("arrived"), "the end");
    const { endpoint } = running;
    await until(async () => (await call(endpoint, "state")) === "completed", "the completion");
    const expected = Array.from({ length: ROUNDS }, (_, n) => [`${n} left`, `${n} right`]).flat();
    expect(await call(endpoint, "done"), `TROUPE_TEST_SEED=${seed}`).toEqual([...expected, "arrived"]);
    const outside = lines();
    expect(new Set(outside).size).toBe(STEPS);
    // In order; what is there again stands right behind itself, and there is no more of it than there were kills.
    expect(outside.filter((line, index) => line !== outside[index - 1])).toEqual([...expected, "arrived"]);
    expect(outside.length - STEPS).toBeLessThanOrEqual(KILLS);
  } finally {
    await running?.child.kill();
    rmSync(root, { recursive: true, force: true });
  }
});
