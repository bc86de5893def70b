/** The simulated world's own rules. */
import { expect, test } from "vitest";
import { drawOptions } from "../options.ts";
import { Random } from "./random.ts";
import { Trace } from "./trace.ts";
import { World } from "./world.ts";

test("what was begun comes to its end in a world in which nothing else happens", async () => {
  const random = new Random(1);
  const world = new World(drawOptions(random), random, new Trace(undefined));
  const over = await new Promise((resolve) => {
    // From a macrotask, as the scheduler asks for.
    setImmediate(() => {
      let done = false;
      void Promise.resolve().then(() => (done = true));
      resolve(world.run(() => done, 1_000, 10));
    });
  });
  expect(over).toBe(true);
  expect(world.now).toBe(0);
});
