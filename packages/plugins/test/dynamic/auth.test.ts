/** `auth` of a dynamic actor: the program says who may come, and the source isn't asked, or told, before. */
import { once } from "node:events";
import { UserError } from "@troupe/base";
import { createClient } from "@troupe/client";
import { actor, type CarriedCaller } from "@troupe/runtime";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { dynamicActor } from "../../src/index.ts";
import { DynamicWorld, failure, moduleOf } from "../support/dynamic-world.ts";
import { needsPackage } from "../support/native-package.ts";

needsPackage("isolated-vm");

const source = moduleOf(`
  state: { heard: [] },
  queues: { mail: queue() },
  onRequest: (c) => { c.state.heard.push("request"); return new Response("hello"); },
  onWebSocket: (c, socket) => { c.state.heard.push("socket"); socket.send("hello"); },
  actions: { say: (c, text) => { c.state.heard.push(text); return c.state.heard.length; }, heard: (c) => c.state.heard }`);

test("each way in is asked about; what refuses is the caller's error, and the source hears nothing of it", async () => {
  const asked: CarriedCaller[] = [];
  const auth = async (c: CarriedCaller, params: unknown) => {
    asked.push(c);
    const token =
      typeof params === "object" && params !== null && "token" in params ? params.token : undefined;
    if (token === "mute") return false;
    if (token !== "ann") throw new UserError("Sign in first", { code: "no_session" });
    return true;
  };
  const middle = actor({
    actions: {
      pass: async (c, token: string) =>
        await c
          .client()
          .getOrCreate("it", ["a"], { params: { token } })
          .action({ name: "say", args: ["passed"] }),
    },
  });
  await using world = await DynamicWorld.start({ it: dynamicActor({ source, auth }), middle });
  const as = (token: string) =>
    createClient({ endpoint: world.endpoint, getParams: () => ({ token }) }).getOrCreate("it", ["a"]);
  const ways: readonly ((token: string) => Promise<unknown>)[] = [
    (token) => as(token).action({ name: "say", args: ["said"] }),
    (token) => as(token).send("mail", "a letter"),
    async (token) => {
      const connection = as(token).connect();
      try {
        return await connection.action({ name: "say", args: ["said on a connection"] });
      } finally {
        await connection.dispose();
      }
    },
    (token) => world.act("middle", "pass", token),
  ];
  for (const way of ways) {
    expect(await failure(way("stolen"))).toMatchObject({ is: "user.no_session" });
    expect(await failure(way("mute"))).toMatchObject({ is: "auth.refused" });
  }
  expect((await as("stolen").fetch("/page")).status).toBe(400);
  expect((await as("mute").fetch("/page")).status).toBe(403);
  const socket = new WebSocket(`${world.endpoint.replace("http", "ws")}/actor/it/websocket/x?troupe-key=a`);
  expect(String((await once(socket, "close"))[1])).toBe("user.no_session");
  expect(await as("ann").action({ name: "heard", args: [] })).toEqual([]);
  for (const way of ways) await way("ann");
  expect(await (await as("ann").fetch("/page?x=1")).text()).toBe("hello");
  const heard = ["said", "said on a connection", "passed", "request"];
  expect(await as("ann").action({ name: "heard", args: [] })).toEqual(heard);
  // It is told whom the caller wants, and the request that it came with.
  expect(asked.every(({ name, key }) => name === "it" && key.join() === "a")).toBe(true);
  const urls = asked.map(({ request }) => request?.url).filter((url) => url?.endsWith("/page?x=1"));
  expect(urls).toHaveLength(1);
});

test("its own schedule asks nobody", async () => {
  const own = moduleOf(`
    state: { rung: 0 },
    actions: { later: (c) => { c.schedule.after(1, "ring"); }, ring: (c) => { c.state.rung += 1; }, rung: (c) => c.state.rung }`);
  let open = true;
  const auth = () => open;
  await using world = await DynamicWorld.start({ it: dynamicActor({ source: own, auth }) });
  await world.act("it", "later");
  open = false;
  expect(await failure(world.act("it", "rung"))).toMatchObject({ is: "auth.refused" });
  const rung = async () => {
    open = true;
    try {
      return await world.act("it", "rung");
    } finally {
      open = false;
    }
  };
  await expect.poll(rung, { timeout: 15_000 }).toBe(1);
});

test("one that doesn't answer is over in the time of a hook, and one that isn't a function is refused", async () => {
  const auth = () => new Promise(() => {});
  const quick = source.replace("state:", "options: { onBeforeConnectTimeout: 20 }, state:");
  await using world = await DynamicWorld.start({ it: dynamicActor({ source: quick, auth }) });
  expect(await failure(world.act("it", "heard"))).toMatchObject({ is: "actor.hook_timed_out" });
  expect(() => Reflect.apply(dynamicActor, undefined, [{ source, auth: "me" }])).toThrow("auth");
});
