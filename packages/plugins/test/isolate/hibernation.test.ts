/** Sockets of actors in an isolate end with a sleep: whoever looks at the isolate's side of one is told so, and never less. */
import { expect, test } from "vitest";
import { DynamicWorld, dynamic, failure } from "../support/dynamic-world.ts";

const room = `
  state: { wakes: 0 },
  onWake: (c) => { c.state.wakes += 1; },
  onWebSocket: (c, websocket) => {
    websocket.onmessage = (event) =>
      websocket.send(JSON.stringify([c.conn.isHibernatable, event.rivetMessageIndex ?? null, c.state.wakes]));
  },
  actions: {
    mine: (c) => [c.conn.isHibernatable, c.state.wakes],
    all: (c) => [...c.conns.values()].map((conn) => conn.isHibernatable),
    nap: (c) => c.sleep(),
  }`;

test("S2.5 in an isolate a connection says that it doesn't hibernate, a socket closes with 1012, and both come again", async () => {
  await using world = await DynamicWorld.start({ room: dynamic(room) });
  const connection = world.handle("room").connect();
  expect(await connection.action({ name: "mine", args: [] })).toEqual([false, 1]);
  const socket = await world.handle("room").webSocket();
  socket.onopen = () => socket.send("hello");
  const said = await new Promise((resolve) => {
    socket.onmessage = ({ data }) => resolve(data);
  });
  expect(JSON.parse(String(said))).toEqual([false, null, 1]);
  expect(await world.act("room", "all")).toEqual([false, false]);
  const closed = new Promise((resolve) => {
    socket.onclose = ({ code, reason }) => resolve([code, reason]);
  });
  await world.act("room", "nap");
  expect(await closed).toEqual([1012, "actor.restarting"]);
  // The client's connection comes back by itself, to the next activation.
  await expect.poll(() => connection.action({ name: "mine", args: [] }).catch(String)).toEqual([false, 2]);
  await connection.dispose();
});

test.each(["true", "() => true"])(
  "S2.5 canHibernateWebSocket: %s can't be kept in an isolate, and is an error that says so",
  async (value) => {
    await using world = await DynamicWorld.start({
      room: dynamic(`options: { canHibernateWebSocket: ${value} }, actions: { ping: () => "pong" }`),
    });
    const { is, message } = await failure(world.act("room", "ping"));
    expect([is, message]).toEqual(["dynamic.load_failed", expect.stringContaining("canHibernateWebSocket")]);
  },
);
