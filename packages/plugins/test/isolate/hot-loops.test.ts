/** Loops in functions that the engine has been busy with, and compiles anew: they notice their limit as others do. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { IsolateProcess } from "../../src/carriers/isolate/isolate-process.ts";
import { failure, isolateProcess } from "../support/dynamic-world.ts";
import { IsolateLine, orderOf } from "../support/isolate-line.ts";
import { needsPackage } from "../support/native-package.ts";
import { nodeSessionEnv } from "../support/node-env.ts";

needsPackage("isolated-vm");

let isolates: IsolateProcess;
beforeEach(() => {
  isolates = new IsolateProcess(nodeSessionEnv);
});
afterEach(() => isolates.close());

/** Functions are compiled anew after some hundred calls; which of them at the moment of the loop, is chance. */
const CALLS = 1_000;
const LOOPS = 12;
const config = `
  state: { n: 0 },
  actions: { run: (c, spin) => { c.state.n += 1; if (spin) for (;;); return c.state.n; } }`;

test("many hot loops at once end at their limit, before a cold one whose limit is later, and their process goes on", async () => {
  const order = orderOf(config, { timeLimitMs: 100 });
  const hot = await Promise.all(Array.from({ length: LOOPS }, () => IsolateLine.open(isolates, order)));
  const cold = await IsolateLine.open(isolates, orderOf(config, { timeLimitMs: 1_000 }));
  for (let n = 0; n < CALLS; n += 1) for (const line of hot) await line.call("run", false);
  const pid = isolateProcess();
  const ended: string[] = [];
  const spin = async (line: IsolateLine, who: string): Promise<void> => {
    expect(await failure(line.call("run", true))).toMatchObject({ is: "dynamic.time_exceeded" });
    ended.push(who);
  };
  await Promise.all([...hot.map((line) => spin(line, "hot")), spin(cold, "cold")]);
  expect(ended).toEqual([...Array(LOOPS).fill("hot"), "cold"]);
  expect(isolateProcess()).toBe(pid);
});
