/** What a client hears first: the welcome, whatever its actor does meanwhile. */
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { watch } from "../driver/watch.ts";

const actions = {
  add: (c: { state: { count: number } }) => ++c.state.count,
  nap: (c: { state: { count: number }; sleep(): void }) => {
    c.sleep();
    return ++c.state.count;
  },
};
const sleepy = actor({ state: { count: 0 }, actions });
/** Its connections can't stay open over a sleep. */
const restless = actor({
  state: { count: 0 },
  createConnState: () => ({ call: () => {} }),
  actions,
});

test.each(["sleepy", "restless"] as const)(
  "an actor that sleeps while a connection's first calls are under way (%s): the welcome comes first",
  async (name) => {
    await using driver = await Driver.start({ sleepy, restless });
    driver.syncs.hold();
    const socket = driver.socket(`/actor/${name}/connect`).hello();
    for (let id = 1; id <= 60; id += 1) socket.action(id, id % 20 === 1 ? "nap" : "add");
    socket.send({ kind: "ping" });
    await driver.world.idle();
    expect(socket.story).toEqual([]);
    driver.syncs.letGo();
    await driver.world.idle();
    expect(socket.story[0]).toBe("welcome");
    expect(socket.story.length).toBeGreaterThan(1);
  },
);

test.each(["sleepy", "restless"] as const)(
  "a client loses none of its calls to an actor that sleeps under them (%s)",
  async (name) => {
    await using driver = await Driver.start({ sleepy, restless });
    const client = driver.client();
    for (let round = 0; round < 10; round += 1) {
      const connection = client[name].getOrCreate([`${round}`]).connect();
      const calls = Array.from({ length: 30 }, (_, n) =>
        watch(n % 10 === 0 ? connection.nap() : connection.add()),
      );
      // The client waits a while before it comes back.
      await driver.world.pass(30_000);
      expect(new Set(calls.map(({ state, code }) => code ?? state))).toEqual(new Set(["resolved"]));
      await connection.dispose();
    }
  },
);
