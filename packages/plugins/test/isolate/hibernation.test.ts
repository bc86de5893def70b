/** Sockets of actors in an isolate stay open while it sleeps: the next isolate has them, with all that the first one knew of them. */
import { expect, test } from "vitest";
import { DynamicWorld, dynamic } from "../support/dynamic-world.ts";
import { needsPackage } from "../support/native-package.ts";

needsPackage("isolated-vm");

const room = `
  state: { wakes: 0, heard: [] },
  events: { said: event() },
  createConnState: (c, params) => ({ who: params?.who ?? "?", calls: 0 }),
  onConnect: (c, conn) => { c.state.heard.push("connect " + conn.state.who); },
  onWake: (c) => { c.state.wakes += 1; },
  onWebSocket: (c, websocket, { request }) => {
    websocket.onmessage = ({ data, rivetMessageIndex }) => {
      c.conn.state.calls += 1;
      if (data === "nap") return c.sleep();
      websocket.send(JSON.stringify(
        [c.conn.isHibernatable, rivetMessageIndex, c.conn.state.calls, request.url.split("?")[1] ?? "", data, c.state.wakes]));
    };
  },
  actions: {
    say: (c, text) => {
      c.conn.state.calls += 1;
      c.broadcast("said", [text, c.state.wakes]);
      return [c.conn.state.who, c.conn.params.who, c.conn.state.calls, c.conn.isHibernatable];
    },
    seen: (c) => [c.state.wakes, c.state.heard, c.conns.size],
    nap: (c) => c.sleep(),
  }`;

test("S2.5 S2.7 (in part) in an isolate sockets and connections outlive its sleep, with state, parameters, address, order and index", async () => {
  await using world = await DynamicWorld.start({ room: dynamic(room) });
  const ann = world.handle("room").connect({ who: "ann" });
  const events: unknown[] = [];
  ann.on("said", (said) => events.push(said));
  expect(await ann.action({ name: "say", args: ["one"] })).toEqual(["ann", "ann", 1, true]);
  const socket = await world.handle("room").webSocket("/?x=1");
  const heard: unknown[] = [];
  let closed: unknown;
  socket.onmessage = ({ data }) => heard.push(JSON.parse(String(data)));
  socket.onclose = ({ code, reason }) => {
    closed = [code, reason];
  };
  socket.onopen = () => socket.send("a");
  await expect.poll(() => heard, { timeout: 15_000 }).toEqual([[true, 1, 1, "x=1", "a", 1]]);
  // What is said in the same breath as the sleep is heard by the one isolate or by the next, once and in order.
  for (const text of ["nap", "b", "c"]) socket.send(text);
  await expect.poll(() => heard.length, { timeout: 15_000 }).toBe(3);
  expect(heard.slice(1)).toEqual([
    [true, 3, 3, "x=1", "b", expect.any(Number)],
    [true, 4, 4, "x=1", "c", expect.any(Number)],
  ]);
  await world.act("room", "nap");
  expect(await ann.action({ name: "say", args: ["two"] })).toEqual(["ann", "ann", 2, true]);
  const [wakes, steps, conns] = (await world.act("room", "seen")) as [number, string[], number];
  expect([wakes > 1, steps.filter((step) => step === "connect ann"), conns >= 2]).toEqual([
    true,
    ["connect ann"],
    true,
  ]);
  await expect.poll(() => events.length, { timeout: 15_000 }).toBe(2);
  expect([events[0], closed]).toEqual([["one", 1], undefined]);
  socket.close();
  await ann.dispose();
});

test("S2.5 in an isolate canHibernateWebSocket decides, by the request as well; a socket that it says no to ends with a sleep", async () => {
  const options = `options: { canHibernateWebSocket: ({ url }) => url.endsWith("/stays") },`;
  await using world = await DynamicWorld.start({ room: dynamic(`${options} ${room}`) });
  const open = async (path: string) => {
    const socket = await world.handle("room").webSocket(path);
    const closed: unknown[] = [];
    socket.onclose = ({ code, reason }) => closed.push([code, reason]);
    const heard: unknown[] = [];
    socket.onmessage = ({ data }) => heard.push(JSON.parse(String(data))[0]);
    socket.onopen = () => socket.send("a");
    await expect.poll(() => heard, { timeout: 15_000 }).toEqual([path === "/stays"]);
    return { socket, closed };
  };
  const [stays, ends] = [await open("/stays"), await open("/ends")];
  await world.act("room", "nap");
  await expect.poll(() => ends.closed, { timeout: 15_000 }).toEqual([[1012, "actor.restarting"]]);
  expect(stays.closed).toEqual([]);
  stays.socket.close();
});
