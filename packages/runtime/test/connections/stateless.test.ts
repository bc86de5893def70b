/** A hook knows a call's connection from one that stays: who is here is told of those alone. */
import { actor, event, setup, setupTest } from "@troupe/runtime";
import { expect, test } from "vitest";
import { carried } from "../driver/carried.ts";

const room = actor({
  state: { steps: [] as string[] },
  events: { here: event<number>() },
  createConnState: () => ({}),
  onConnect: (c, conn) => {
    c.state.steps.push(conn.isStateless ? "call" : "here");
    if (!conn.isStateless) c.broadcast("here", c.conns.size);
  },
  onDisconnect: (c, conn) => void c.state.steps.push(conn.isStateless ? "call over" : "gone"),
  actions: {
    steps: (c) => c.snapshot().steps,
    isStateless: (c) => c.conn.isStateless,
  },
});

const ways = { here: { room }, carried: carried({ room }) };

for (const [way, use] of Object.entries(ways)) {
  test(`${way}: conn.isStateless is true of a call, false of a connection`, async (t) => {
    const { client } = await setupTest(t, setup({ use }));
    const handle = client.room.getOrCreate(["a"]);
    expect(await handle.isStateless()).toBe(true);
    const connection = handle.connect();
    await connection.ready;
    expect(await connection.isStateless()).toBe(false);
    expect(await connection.steps()).toEqual(["call", "call over", "here"]);
    await connection.dispose();
  });
}
