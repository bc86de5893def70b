/** A client's connection lives through SIGTERM and a new start: nothing is lost, doubled, or left without an answer. */
import { setImmediate as macrotask } from "node:timers/promises";
import { createClient } from "@troupe/client";
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { codeOf } from "../driver/watch.ts";
import { temporaryDirectory } from "../storage/test-env.ts";
import type { Restarted } from "./restart-child.ts";
import { ServerProcess } from "./server-process.ts";

test("calls in flight through SIGTERM and restart are answered once each, subscriptions are restored", async () => {
  using directory = temporaryDirectory();
  const first = new ServerProcess("restart-child.ts", directory.path);
  using _ = first;
  const { port } = await first.heard("port");
  await using client = createClient<Restarted>(`http://127.0.0.1:${port}`);
  const conn = client.ledger.getOrCreate(["a"]).connect();
  const heard: number[] = [];
  const gaps: (readonly string[])[] = [];
  conn.on("added", (entry) => heard.push(entry));
  conn.onGap(({ events }) => gaps.push(events));
  const outcomes: Promise<number | string>[] = [];
  let underWay = 0;
  const call = (): void => {
    underWay += 1;
    const outcome = conn.add(outcomes.length).catch((error: unknown) => codeOf(error));
    outcomes.push(outcome.finally(() => (underWay -= 1)));
  };
  /** Calls all the time, until `until` settles: some are always on their way. */
  const calling = async (until: Promise<unknown>): Promise<void> => {
    let over = false;
    const end = until.then(() => {
      over = true;
    });
    while (!over && outcomes.length < 20_000) {
      const more = conn.isConnected || outcomes.length % 50 !== 0;
      if (more && underWay < limits.connectionActionsInFlight) call();
      await macrotask();
    }
    await end;
  };
  for (let n = 0; n < 100; n += 1) call();
  await Promise.all(outcomes);
  const exit = first.ended("SIGTERM");
  await calling(exit);
  expect(await exit).toEqual([0, null]);
  expect(first.complaints).toEqual([]);
  await expect.poll(() => conn.connStatus).not.toBe("connected");
  const second = new ServerProcess("restart-child.ts", directory.path, `${port}`);
  using __ = second;
  await second.heard("port");
  call();
  const answers = await Promise.all(outcomes);
  // An orderly stop answers what it took and disowns the rest, so even what was on its way is done, once, in order.
  expect(answers.flatMap((answer, index) => (answer === index ? [] : [{ index, answer }]))).toEqual([]);
  expect(await conn.entries()).toEqual(answers);
  expect(gaps).toEqual([["added"]]);
  expect(heard.at(-1)).toBe(answers.length - 1);
  expect(new Set(heard).size).toBe(heard.length);
}, 60_000);

test("a call that a stop leaves behind is told that its outcome is unknown, and isn't made again", async () => {
  using directory = temporaryDirectory();
  const first = new ServerProcess("restart-child.ts", directory.path);
  using _ = first;
  const { port } = await first.heard("port");
  await using client = createClient<Restarted>(`http://127.0.0.1:${port}`);
  const conn = client.ledger.getOrCreate(["a"]).connect();
  const hanging = conn.hang().catch((error: unknown) => codeOf(error));
  await first.heard("hanging");
  expect(await first.ended("SIGTERM")).toEqual([0, null]);
  expect(await hanging).toBe("client.outcome_unknown");
  const second = new ServerProcess("restart-child.ts", directory.path, `${port}`);
  using __ = second;
  await second.heard("port");
  expect(await conn.entries()).toEqual([-1]);
}, 60_000);
