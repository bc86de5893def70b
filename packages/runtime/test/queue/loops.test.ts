/** Several loops of one `run`, each with its own queue. */
import { actor, queue } from "@troupe/runtime";
import { expect, test } from "vitest";
import { RunWork } from "../../src/actor/local/run.ts";
import { Work } from "../../src/actor/local/work.ts";
import { Driver } from "../driver/driver.ts";
import { watch } from "../driver/watch.ts";

test("an actor with work to do isn't put to sleep for another one because one of its loops only waits", async () => {
  let pause: () => Promise<void> = async () => {};
  const mill = actor({
    queues: { notes: queue<string>(), jobs: queue<string, string>({ maxAttempts: 1_000, retryDelay: 30 }) },
    options: { sleepTimeout: 1, sleepGracePeriod: 30 },
    run: async (c) => {
      const notes = async () => {
        for await (const _ of c.queue.iter({ names: ["notes"] }));
      };
      const jobs = async () => {
        for await (const job of c.queue.iter({ names: ["jobs"], completable: true })) {
          await pause();
          await job.complete(`done ${String(job.body)}`);
        }
      };
      // When the actor stops, the first loop that ends ends all of them.
      await Promise.race([notes(), jobs()]);
    },
  });
  await using driver = await Driver.start({ mill }, { maxAwakeActors: 1 });
  pause = () => new Promise((done) => void driver.world.timers.set(() => done(), 5));
  const client = driver.client();
  const sent = ["a", "b", "c"].map((key) =>
    watch(client.mill.getOrCreate([key]).send("jobs", key, { wait: true, timeout: 60_000 })),
  );
  await driver.world.pass(10_000);
  expect(sent.map(({ state, value }) => [state, value])).toEqual(
    ["a", "b", "c"].map((key) => ["resolved", { status: "completed", response: `done ${key}` }]),
  );
});

test("that a run waits is said when the turn has ended, and then only if all of its loops do", () => {
  const said: string[] = [];
  const turn: (() => void)[] = [];
  const work = new Work({ onIdle: () => said.push("idle"), onBusy: () => said.push("busy") });
  const run = new RunWork(work, { afterTurn: (task) => turn.push(task) });
  const turnEnds = () => turn.splice(0).forEach((task) => void task());
  run.waits();
  run.works();
  turnEnds();
  expect(said).toEqual(["busy"]);
  run.rests();
  run.waits();
  turnEnds();
  expect(said).toEqual(["busy", "idle"]);
  run.resumes();
  run.works();
  expect(said).toEqual(["busy", "idle", "busy"]);
  run.rests();
  run.end();
  turnEnds();
  expect(said).toEqual(["busy", "idle", "busy", "idle"]);
});
