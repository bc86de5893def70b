/** Reloading a dynamic actor: the next activation has the new source, calls that run end with the old one; failed starts wait. */
import { createClient } from "@troupe/client";
import { limits } from "@troupe/protocol";
import { actor, setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { dynamicActor } from "../../src/index.ts";
import { DynamicWorld, failure, moduleOf } from "../support/dynamic-world.ts";
import { needsPackage } from "../support/native-package.ts";

needsPackage("isolated-vm");

const version = (n: number) =>
  moduleOf(`
    state: { calls: 0 },
    actions: {
      version: (c) => [${n}, c.state.calls += 1],
      wait: async (c) => { await c.client().gate.getOrCreate([]).wait(); return ${n}; },
    }`);

const token = "secret";

/** A server whose one dynamic actor has what `source` gives. */
async function serve(source: () => string) {
  const loads: string[] = [];
  const load = () => {
    loads.push(source());
    return { source: source() };
  };
  const [asked, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const wait = async () => {
    asked.resolve();
    await opened.promise;
  };
  const gate = actor({ actions: { wait } });
  const registry = setup({ use: { it: dynamicActor({ load, needs: ["actors"] }), gate }, token });
  const { endpoint } = await registry.start({ port: 0, durability: "memory", signals: false, banner: false });
  const client = createClient({ endpoint, token });
  const it = client.getOrCreate("it", ["a"]);
  return {
    loads,
    asked: asked.promise,
    open: () => opened.resolve(),
    registry,
    endpoint,
    client,
    it,
    act: (name: string) => it.action({ name, args: [] }),
    [Symbol.asyncDispose]: async () => {
      await client.dispose();
      await registry.stop();
    },
  };
}

test("a call that runs ends with the old source; what comes meanwhile has the new one, and the state", async () => {
  let n = 1;
  await using here = await serve(() => version(n));
  const { it, act } = here;
  expect([await act("version"), await act("version")]).toEqual([
    [1, 1],
    [1, 2],
  ]);
  const listener = it.connect();
  await listener.ready;
  const running = act("wait");
  await here.asked;
  n = 2;
  const reloading = it.reload();
  const next = act("version");
  here.open();
  expect(await running).toBe(1);
  await reloading;
  expect(await next).toEqual([2, 3]);
  // Its client has stayed.
  expect(await listener.action({ name: "version", args: [] })).toEqual([2, 4]);
  await listener.dispose();
  expect(here.loads).toHaveLength(2);
});

test("one that sleeps, or was never made, has nothing to end; by id, and from the program itself, it is the same", async () => {
  let n = 1;
  await using here = await serve(() => version(n));
  const { it, act, client, registry } = here;
  await it.reload();
  expect(here.loads).toEqual([]);
  expect(await act("version")).toEqual([1, 1]);
  n = 2;
  await client.getForId("it", await it.resolve()).reload();
  expect(await act("version")).toEqual([2, 2]);
  n = 3;
  const inside = await registry.client();
  await inside.it.getOrCreate(["a"]).reload();
  expect(await act("version")).toEqual([3, 3]);
});

test("PUT needs the gateway's token, and a dynamic actor", async () => {
  await using here = await serve(() => version(1));
  const put = async (path: string, headers: Readonly<Record<string, string>> = {}) => {
    const response = await fetch(`${here.endpoint}${path}`, { method: "PUT", headers });
    return [response.status, response.ok ? await response.json() : (await response.json()).error.code];
  };
  const authorization = `Bearer ${token}`;
  expect(await put("/actor/it/reload?key=a", { authorization })).toEqual([200, {}]);
  expect(await put("/actor/it/reload?key=a")).toEqual([401, "unauthorized"]);
  expect(await put("/actor/it/reload?key=a", { authorization: "Bearer other" })).toEqual([
    401,
    "unauthorized",
  ]);
  expect(await put("/actor/gate/reload", { authorization })).toEqual([409, "not_reloadable"]);
  expect(await put("/actor/nobody/reload", { authorization })).toEqual([404, "not_registered"]);
  expect(await put("/actor-id/nobody/reload", { authorization })).toEqual([404, "not_found"]);
  expect(await put("/actor/it/action/version?key=a", { authorization })).toEqual([405, "method_not_allowed"]);
  const get = await fetch(`${here.endpoint}/actor/it/reload?key=a`, { headers: { authorization } });
  expect(get.status).toBe(405);
});

test("a start that fails again isn't tried at every call: callers are told what it was, and when; a reload tries at once", async () => {
  let source = "export default {";
  let loads = 0;
  const load = () => {
    loads += 1;
    return { source };
  };
  await using world = await DynamicWorld.start({ it: dynamicActor({ load }) });
  const call = () => world.act("it", "version");
  const failed = [await failure(call()), await failure(call()), await failure(call()), await failure(call())];
  expect(failed.map(({ is }) => is)).toEqual(Array.from({ length: 4 }, () => "dynamic.syntax_error"));
  expect(failed[0]?.metadata).not.toHaveProperty("retryAfterMs");
  expect(failed[3]?.metadata).toMatchObject({ line: 1, retryAfterMs: expect.any(Number) });
  expect(loads).toBe(2);
  source = version(1);
  await world.reload("it");
  expect(await call()).toEqual([1, 1]);
});

const endings = {
  "a loop in createState": ["createState() { for (;;); }", "dynamic.time_exceeded"],
  "a loop in onWake": ["onWake() { for (;;); }", "dynamic.time_exceeded"],
  "a heap that grows in createState": [
    "createState() { const a = []; for (;;) a.push(new Array(1_000).fill(1)); }",
    "dynamic.memory_exceeded",
  ],
} as const;

test.each(Object.entries(endings))(
  "a start that ends its isolate is told to its first caller, and is one start: %s",
  async (_, [hook, is]) => {
    let loads = 0;
    const load = () => {
      loads += 1;
      return {
        source: moduleOf(`${hook}, actions: { run: () => 1 }`),
        nodeProcess: { memoryLimit: 16, cpuTimeLimitMs: is === "dynamic.time_exceeded" ? 50 : 10_000 },
      };
    };
    await using world = await DynamicWorld.start({ it: dynamicActor({ load }) });
    const call = () => failure(world.act("it", "run"));
    expect([await call(), loads]).toMatchObject([{ is, retryable: false }, 1]);
    expect([await call(), loads]).toMatchObject([{ is, retryable: false }, 2]);
    const third = await call();
    expect([third, loads]).toMatchObject([
      { is, retryable: false, metadata: { retryAfterMs: expect.any(Number) } },
      2,
    ]);
    expect(Object(third.metadata).retryAfterMs).toBeLessThanOrEqual(limits.failedStartWaitMs);
    const url = `${world.endpoint}/actor/it/action/run?key=other`;
    const answer = await fetch(url, { method: "POST", body: JSON.stringify({ args: [] }) });
    expect([answer.status, await answer.json()]).toMatchObject([502, { error: { code: is.slice(8) } }]);
  },
);
