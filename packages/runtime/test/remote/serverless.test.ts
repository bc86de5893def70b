/**
 * Serverless hosts: the engine asks a platform for one, which is here a real HTTP server that runs a program's handler for each
 * request, as function platforms do.
 */
import { createClient } from "@troupe/client";
import { actor, remoteActor, type ServerlessPool, setup } from "@troupe/runtime";
import { expect, test, vi } from "vitest";
import { Allocator } from "../../src/remote/allocator.ts";
import { rejection } from "../driver/watch.ts";
import { World } from "../driver/world.ts";
import { FunctionPlatform } from "./function-platform.ts";

const counter = actor({
  state: { count: 0 },
  actions: { increment: (c, by: number) => (c.state.count += by) },
});

const quiet = { port: 0, durability: "memory", signals: false, banner: false } as const;

async function engine(pool: Partial<ServerlessPool> & { readonly url: string }) {
  const registry = setup({
    use: { counter: remoteActor<typeof counter>({ pool: "edge" }) },
    hosts: { token: "secret", serverless: [{ pool: "edge", ...pool }] },
    namespaces: ["staging"],
  });
  const { endpoint } = await registry.start(quiet);
  const client = createClient<typeof registry>(endpoint);
  return {
    ...{ registry, endpoint, client },
    async [Symbol.asyncDispose]() {
      await client.dispose();
      await registry.stop();
    },
  };
}

test("S3.8: an actor that waits is allocating; the engine calls the function, which connects back, lives its lifespan and drains", async () => {
  await using platform = await FunctionPlatform.start();
  await using troupe = await engine({ url: platform.url, lifespanMs: 1_000 });
  const handle = troupe.client.counter.getOrCreate("a");
  const first = handle.increment(1);
  await expect.poll(() => troupe.registry.remoteHosts.waiting()).toMatchObject([{ state: "allocating" }]);
  // Deployed while the actor waits: what was refused is asked for again.
  const program = setup({ use: { counter } });
  platform.handler = program.serverless({ endpoint: troupe.endpoint, token: "secret" });
  expect(await first).toBe(1);
  const before = platform.starts;
  expect(troupe.registry.remoteHosts.list()).toMatchObject([{ pool: "edge", instances: 1 }]);
  await expect.poll(() => [platform.running, troupe.registry.remoteHosts.list()]).toEqual([0, []]);
  expect(platform.starts).toBe(before);
  expect(await handle.increment(1)).toBe(2);
  expect(platform.starts).toBe(before + 1);
});

test("a pool of functions is for a namespace, not for its name: renamed, its functions are asked for under the new one", async () => {
  await using platform = await FunctionPlatform.start();
  await using troupe = await engine({ url: platform.url, namespace: "staging", lifespanMs: 1_000 });
  troupe.registry.namespaces.rename("staging", "test");
  platform.handler = setup({ use: { counter } }).serverless({ endpoint: troupe.endpoint, token: "secret" });
  const client = await troupe.registry.client({ namespace: "test" });
  expect(await client.counter.getOrCreate("a").increment(1)).toBe(1);
  expect(troupe.registry.remoteHosts.list()).toMatchObject([{ namespace: "test", pool: "edge" }]);
});

test("with TROUPE_ENDPOINT `registry.handler` is the function; wrong tokens, methods and orders start nothing", async () => {
  vi.stubEnv("TROUPE_ENDPOINT", "http://127.0.0.1:9");
  vi.stubEnv("TROUPE_HOSTS_TOKEN", "secret");
  try {
    const { handler } = setup({ use: { counter } });
    const order = { pool: "edge", namespace: "", lifespanMs: 5_000 };
    const ask = async (given: { token?: string; method?: string; path?: string; body?: unknown } = {}) => {
      const { token = "secret", method = "POST", path = "/api/start", body = order } = given;
      const answer = await handler(
        new Request(`http://localhost${path}`, {
          method,
          headers: { authorization: `Bearer ${token}` },
          body: typeof body === "string" ? body : JSON.stringify(body),
        }),
      );
      const { error } = JSON.parse(await answer.text());
      return `${answer.status} ${error.group}.${error.code}`;
    };
    expect(await ask({ token: "guess" })).toBe("401 gateway.unauthorized");
    expect(await ask({ method: "PUT" })).toBe("405 gateway.method_not_allowed");
    expect(await ask({ path: "/actor/counter/action/increment" })).toBe("404 gateway.not_found");
    const bad = [
      "",
      "[",
      "7",
      "null",
      {},
      { ...order, pool: 7 },
      { ...order, lifespanMs: 1e12 },
      "x".repeat(5_000),
    ];
    for (const body of bad) expect(await ask({ body })).toBe("400 host.bad_start");
    expect(() => setup({ use: {}, maxAwakeActors: 1 }).serverless()).toThrow(
      expect.objectContaining({ code: "not_on_host" }),
    );
  } finally {
    vi.unstubAllEnvs();
  }
});

test("settings of a serverless pool are checked, and a token of its own is enough", () => {
  const pool = { pool: "edge", url: "https://app.example" };
  const make = (serverless: ServerlessPool, token?: string) => () =>
    setup({
      use: {},
      hosts: {
        tokens: [{ token: "other" }],
        serverless: [serverless],
        ...(token === undefined ? {} : { token }),
      },
    });
  expect(make(pool, "secret")).not.toThrow();
  expect(make({ ...pool, token: "secret" })).not.toThrow();
  for (const wrong of [
    make(pool),
    make({ ...pool, pool: "" }, "s"),
    make({ ...pool, url: "app.example" }, "s"),
  ])
    expect(wrong).toThrow(expect.objectContaining({ code: "invalid_option" }));
  expect(make({ ...pool, lifespanMs: 1 }, "s")).toThrow(expect.objectContaining({ code: "invalid_option" }));
});

test("one request at a time; refused ones are repeated with pauses while somebody waits, and whose function never connects too", async () => {
  const world = new World();
  const asked: { readonly end: (error?: Error) => void; readonly aborted: () => boolean }[] = [];
  let wanted = true;
  const allocator = new Allocator({
    env: world,
    functions: {
      start: ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
          asked.push({ end: (error = new Error("503")) => reject(error), aborted: () => signal.aborted });
        }),
    },
    pools: [{ pool: "edge", url: "http://app", place: "edge", namespaceName: () => "default" }],
    wanted: () => wanted,
  });
  allocator.ask("edge");
  allocator.ask("edge");
  allocator.ask("other");
  expect(asked.length).toBe(1);
  asked[0]?.end();
  await world.pass(1);
  expect([asked.length, allocator.reason("edge")]).toEqual([1, "503"]);
  await world.pass(5_000);
  expect(asked.length).toBe(2);
  await world.pass(20_000);
  expect(asked[1]?.aborted()).toBe(true);
  await world.pass(5_000);
  expect(asked.length).toBe(3);
  allocator.arrived("edge");
  expect(allocator.reason("edge")).toBeUndefined();
  await world.pass(60_000);
  expect([asked.length, asked[2]?.aborted()]).toEqual([3, false]);
  wanted = false;
  allocator.ask("edge");
  asked[3]?.end();
  await world.pass(60_000);
  expect(asked.length).toBe(4);
  allocator.close();
  expect(asked[2]?.aborted()).toBe(true);
  // A host that comes while the engine stops changes nothing.
  allocator.arrived("edge");
  allocator.ask("edge");
  expect(asked.length).toBe(4);
});

test("why no function can be started is said once a minute, however often it was tried", async () => {
  const world = new World();
  const allocator = new Allocator({
    env: world,
    functions: { start: () => Promise.reject(new Error("http://app/start answered 404")) },
    pools: [{ pool: "edge", url: "http://app", place: "edge", namespaceName: () => "default" }],
    wanted: () => true,
  });
  allocator.ask("edge");
  await world.pass(59_000);
  expect(world.lines.map(({ fields }) => fields["more"])).toEqual([0]);
  await world.pass(10_000);
  expect(world.lines.map(({ fields }) => Number(fields["more"]) > 10)).toEqual([false, true]);
  allocator.close();
});

test("an engine whose function can't be started says so, with the reason in its cause", async () => {
  await using platform = await FunctionPlatform.start();
  await using troupe = await engine({ url: platform.url });
  const carrier = troupe.registry.remoteHosts.carrier({
    namespace: "default",
    pool: "edge",
    name: "counter",
  });
  await expect.poll(() => platform.starts).toBeGreaterThan(0);
  const refused = rejection(carrier);
  troupe.registry.remoteHosts.close();
  expect(await refused).toBe("host.none_available");
});
