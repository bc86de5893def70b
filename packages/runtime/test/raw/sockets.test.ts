/** Raw WebSockets: what comes in, in order; who may open one; how one ends. */

import { UserError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { actor, setup, type UniversalWebSocket } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { RawClient } from "../driver/raw-client.ts";
import { codeOf, Latch, rejection } from "../driver/watch.ts";

function open(
  driver: Pick<Driver<never>, "world" | "runtime">,
  url: string,
  headers?: Readonly<Record<string, string>>,
): RawClient {
  return new RawClient(driver.world, driver.runtime.gateway, url, headers);
}

const echo = actor({
  onWebSocket: (_c, websocket) => {
    websocket.addEventListener("message", (event) => websocket.send(event.data));
  },
  actions: {},
});

test("S2.3 what is sent before anybody listens is heard first, in order, and nothing overtakes it", async () => {
  const waking = new Latch();
  const attaching = new Latch();
  const heard: unknown[] = [];
  const slow = actor({
    onWake: () => waking.promise,
    onWebSocket: async (_c, websocket) => {
      websocket.send("taken");
      await attaching.promise;
      websocket.onmessage = (event) => heard.push(event.data);
      websocket.addEventListener("message", (event) => heard.push(`${String(event.data)}'`));
    },
    actions: {},
  });
  await using driver = await Driver.start({ slow });
  const client = open(driver, "/actor/slow/websocket").say("1", "2");
  await driver.world.idle();
  expect(client.heard).toEqual([]);
  waking.open();
  await driver.world.until(() => client.heard.length > 0);
  client.say("3", "4");
  await driver.world.idle();
  expect(heard).toEqual([]);
  attaching.open();
  client.say("5");
  await driver.world.idle();
  expect(heard).toEqual(["1", "1'", "2", "2'", "3", "3'", "4", "4'", "5", "5'"]);
});

test("texts and bytes come back as they were, in order", async () => {
  await using driver = await Driver.start({ echo });
  const bytes = new Uint8Array([9, 0, 255, 128, 9]).subarray(1, 4);
  const client = open(driver, "/actor/echo/websocket").say("", "ä\0€", bytes, new Uint8Array(), "last");
  await driver.world.idle();
  expect(client.heard).toEqual(["", "ä\0€", Uint8Array.of(0, 255, 128), new Uint8Array(), "last"]);
});

test("what user code gets is an ArrayBuffer of its own, and what it sends is copied", async () => {
  const data: unknown[] = [];
  const keeper = actor({
    onWebSocket: (_c, websocket) => {
      expect([websocket.readyState, websocket.binaryType]).toEqual([websocket.OPEN, "arraybuffer"]);
      websocket.onmessage = (event) => {
        data.push(event.data);
        const answer = Uint8Array.of(1, 2, 3, 4);
        websocket.send(answer.subarray(1, 3));
        websocket.send(answer.buffer);
        answer.fill(0);
      };
    },
    actions: {},
  });
  await using driver = await Driver.start({ keeper });
  const client = open(driver, "/actor/keeper/websocket").say(new Uint8Array([5, 6, 7]).subarray(1));
  await driver.world.idle();
  expect(data).toEqual([Uint8Array.of(6, 7).buffer]);
  expect(client.heard).toEqual([Uint8Array.of(2, 3), Uint8Array.of(1, 2, 3, 4)]);
});

const paths: readonly (readonly [string, string | undefined])[] = [
  ["/actor/where/websocket", "/"],
  ["/actor/where/websocket/", "/"],
  ["/actor/where/websocket/a/b?x=1&troupe-key=k&key=mine", "/a/b?x=1&key=mine"],
  ["/actor/where/websocket?x", "/?x"],
  ["/actor/where/websocket//other.host/a", "//other.host/a"],
  ["/actor/where/request", "/"],
  ["/actor/where/request/a/b?x=1&troupe-key=k&key=mine", "/a/b?x=1&key=mine"],
  ["/actor/where/requestfoo", undefined],
  ["/actor/where/websocketfoo", undefined],
  ["/actor/where/websocket%2Fa", undefined],
  ["/actor/where/Websocket", undefined],
  ["/websocket", undefined],
];

test("S3.9 (in part) an actor's own paths are /websocket and /request and what is under them, and nothing that only begins so", async () => {
  const where = actor({
    onWebSocket: (c, websocket, { request }) => {
      const { pathname, search, origin } = new URL(request.url);
      expect([origin, c.request?.url]).toEqual(["http://127.0.0.1", request.url]);
      websocket.send(pathname + search);
    },
    actions: {},
  });
  await using driver = await Driver.start({ where });
  for (const [path, seen] of paths) {
    if (seen === undefined) {
      expect(() => open(driver, path)).toThrow(expect.objectContaining({ code: "not_found" }));
      continue;
    }
    const client = open(driver, path);
    await driver.world.idle();
    expect([path, client.heard]).toEqual([path, [seen]]);
  }
  expect(() => open(driver, "/actor/where/websocket?troupe-other=1")).toThrow(/unknown parameter/);
  expect((await driver.http("GET", "/actor/where/websocket")).code).toBe("gateway.upgrade_required");
});

test("S2.2 (in part) an actor without the handler, or that isn't there, refuses by name", async () => {
  const mute = actor({ actions: {} });
  await using driver = await Driver.start({ mute, echo });
  const client = open(driver, "/actor/mute/websocket");
  const nobody = open(driver, "/actor/echo/websocket?troupe-method=get");
  const unknown = open(driver, "/actor/nosuch/websocket");
  await driver.world.idle();
  expect(client.closed).toEqual({ code: 1008, reason: "actor.no_handler" });
  expect(nobody.closed).toEqual({ code: 1008, reason: "actor.not_found" });
  expect(unknown.closed).toEqual({ code: 1008, reason: "actor.not_registered" });
});

test("it passes the connect hooks, is in c.conns, keeps the actor awake when it can't hibernate, and ends with onDisconnect", async () => {
  const steps: unknown[] = [];
  const guarded = actor({
    options: { canHibernateWebSocket: false },
    types: {} as { connParams: { name: string } },
    onBeforeConnect: (_c, params) => {
      if (params?.name !== "ann") throw new UserError("who?", { code: "unknown" });
    },
    createConnState: (_c, params) => ({ name: params.name }),
    onConnect: (c) => void steps.push(`onConnect ${c.conns.size}`),
    onDisconnect: (_c, conn) => void steps.push(`onDisconnect ${conn.state.name}`),
    onWebSocket: (c, websocket) => {
      steps.push(`onWebSocket ${c.conn.state.name}`);
      websocket.onclose = async (event) => {
        await Promise.resolve();
        steps.push(`close ${event.code} ${event.reason} ${websocket.readyState}`);
      };
    },
    actions: { awake: (c) => c.awakeReasons },
  });
  await using driver = await Driver.start({ guarded });
  const client = driver.client();
  const socket = await client.guarded.getOrCreate("a", { params: { name: "ann" } }).webSocket();
  await driver.world.idle();
  const refused = open(driver, "/actor/guarded/websocket?troupe-key=a");
  await driver.world.pass(60_000);
  expect(refused.closed).toEqual({ code: 1008, reason: "user.unknown" });
  expect(driver.runtime.host.size).toBe(1);
  socket.close(4001, "bye");
  await driver.world.idle();
  expect(steps).toEqual(["onConnect 1", "onWebSocket ann", "close 4001 bye 3", "onDisconnect ann"]);
  await driver.world.pass(60_000);
  expect(driver.runtime.host.size).toBe(0);
});

test("a handler or a listener that throws closes its socket with 1011; the actor and other sockets live on", async () => {
  const touchy = actor({
    onWebSocket: async (c, websocket) => {
      if (c.request?.url.endsWith("/at-once")) throw new UserError("no", { code: "mine" });
      websocket.addEventListener("message", (event) => websocket.send(`got ${String(event.data)}`));
      websocket.addEventListener("message", async (event) => {
        if (event.data === "later") await Promise.reject(new Error("secret"));
        if (event.data === "now") throw new Error("secret");
      });
    },
    actions: {},
  });
  await using driver = await Driver.start({ touchy });
  const atOnce = open(driver, "/actor/touchy/websocket/at-once");
  const [now, later, fine] = ["now", "later", "fine"].map((text) =>
    open(driver, "/actor/touchy/websocket").say(text, "more"),
  );
  await driver.world.idle();
  expect(atOnce.closed).toEqual({ code: 1011, reason: "user.mine" });
  expect([now?.closed, later?.closed]).toEqual(Array(2).fill({ code: 1011, reason: "internal.error" }));
  expect([now?.heard[0], fine?.heard, fine?.closed]).toEqual([
    "got now",
    ["got fine", "got more"],
    undefined,
  ]);
  expect(driver.world.logged("error", "raw socket's handler failed")).toHaveLength(3);
});

test("send and close as the standard has them", async () => {
  let mine: UniversalWebSocket | undefined;
  const steps: string[] = [];
  const closer = actor({
    onWebSocket: (_c, websocket) => {
      mine = websocket;
      websocket.onopen = () => steps.push("open");
      const once = (): void => void steps.push("replaced");
      websocket.onmessage = once;
      websocket.onmessage = (event) => {
        steps.push(`message ${String(event.data)}`);
        websocket.send("last");
        websocket.close(4000, "done");
        websocket.send("too late");
        steps.push(`state ${websocket.readyState}`);
      };
      websocket.addEventListener("close", (event) => steps.push(`close ${event.code} ${event.wasClean}`), {
        once: true,
      });
    },
    actions: {},
  });
  await using driver = await Driver.start({ closer });
  const client = open(driver, "/actor/closer/websocket");
  await driver.world.idle();
  expect(() => mine?.close(1005)).toThrow(expect.objectContaining({ code: "invalid_close_code" }));
  expect(() => mine?.close(1000, "x".repeat(124))).toThrow(
    expect.objectContaining({ code: "reason_too_long" }),
  );
  expect(() => mine?.send(7 as never)).toThrow(expect.objectContaining({ code: "unsupported_data" }));
  expect(() => {
    if (mine !== undefined) mine.binaryType = "blob";
  }).toThrow(expect.objectContaining({ code: "unsupported_binary_type" }));
  client.say("go", "never heard");
  await driver.world.idle();
  expect([client.heard, client.closed]).toEqual([["last"], { code: 4000, reason: "done" }]);
  expect(steps).toEqual(["open", "message go", "state 2", "close 4000 true"]);
  mine?.send("after the end");
  expect(mine?.readyState).toBe(3);
});

test("messages have limits, each way, and so has what waits for a listener", async () => {
  const failed: unknown[] = [];
  const small = actor({
    onWebSocket: (c, websocket) => {
      if (c.request?.url.endsWith("/deaf")) return;
      websocket.onmessage = () => {
        try {
          websocket.send("x".repeat(11));
        } catch (cause) {
          failed.push(codeOf(cause));
        }
        websocket.send("x".repeat(10));
      };
    },
    options: { canHibernateWebSocket: false, maxIncomingMessageSize: 10, maxOutgoingMessageSize: 10 },
    actions: {},
  });
  await using driver = await Driver.start({ small });
  const client = open(driver, "/actor/small/websocket").say("x".repeat(10));
  const tooLong = open(driver, "/actor/small/websocket").say("ä".repeat(6));
  const deaf = open(driver, "/actor/small/websocket/deaf");
  await driver.world.idle();
  for (let sent = 0; sent <= limits.openingFrames; sent += 1) deaf.say("x");
  await driver.world.idle();
  expect([client.heard, failed]).toEqual([["x".repeat(10)], ["message.outgoing_too_long"]]);
  expect(tooLong.closed).toEqual({ code: 1009, reason: "message.incoming_too_long" });
  expect(deaf.closed).toEqual({ code: 1008, reason: "connection.opening_backlog" });
});

test("an actor that calls another one gets no raw socket, and is told so", async () => {
  await using driver = await Driver.start({ echo });
  const refused = driver.local().echo.getOrCreate("a").webSocket();
  expect(await rejection(refused)).toBe("client.raw_unsupported");
});

test("onWebSocket is a function, or setup says so", () => {
  expect(() => setup({ use: { bad: actor({ onWebSocket: 7 as never, actions: {} }) } })).toThrow(
    /onWebSocket/,
  );
});

test("a client that answers no ping is closed after two heartbeats; one that does stays", async () => {
  const ends: number[] = [];
  const patient = actor({
    options: { canHibernateWebSocket: false },
    onWebSocket: (_c, websocket) => {
      websocket.onclose = ({ code }) => ends.push(code);
    },
    actions: {},
  });
  await using driver = await Driver.start({ patient });
  const [alive, gone] = (["answers", "silent"] as const).map(
    (pings) => new RawClient(driver.world, driver.runtime.gateway, "/actor/patient/websocket", {}, pings),
  );
  await driver.world.pass(4 * limits.heartbeatMs);
  expect([alive?.closed, gone?.closed]).toEqual([undefined, { code: 1008, reason: "connection.silent" }]);
  expect(ends).toEqual([1008]);
});
