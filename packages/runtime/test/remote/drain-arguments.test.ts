/** What a drain is told and can't mean: it is refused before anything happens, and nobody's actors are lost. */
import { limits } from "@troupe/protocol";
import { actor, remoteActor, setup } from "@troupe/runtime";
import { startHost } from "@troupe/runtime/edge";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const counter = actor({
  state: { count: 0 },
  actions: { increment: (c, by: number) => (c.state.count += by) },
});
const engine = setup({ use: { counter: remoteActor<typeof counter>() }, hosts: { token: "secret" } });

let endpoint = "";
beforeAll(async () => {
  ({ endpoint } = await engine.start({ port: 0, durability: "memory", signals: false, banner: false }));
});
afterAll(async () => await engine.stop());

/** As a program in JavaScript gives it. */
function given<T>(value: unknown): T {
  return value as T;
}

function refusal(code: string, key: string) {
  return expect.objectContaining({ group: "config", code, metadata: { key } });
}

const wrongTimes = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  -1,
  0.5,
  "30s",
  null,
  limits.hostDrainLongestMs + 1,
];

describe("the engine's drain", () => {
  const wrong = [
    ["invalid_option", "drain", undefined],
    ["invalid_option", "drain", "default"],
    ["unknown_option", "drain.pol", { pol: "default" }],
    ["invalid_option", "pool", { pool: "a/b" }],
    ["invalid_option", "olderThan", { olderThan: "7" }],
    ["invalid_option", "olderThan", { olderThan: Number.NaN }],
    ["invalid_option", "programVersion", { programVersion: -1 }],
    ["invalid_option", "hostId", { hostId: 5 }],
    ["invalid_option", "namespace", { namespace: 5 }],
  ] as const;

  test("refuses what names no hosts, or hosts that aren't there", async () => {
    const host = startHost({ use: { counter }, endpoint, token: "secret" });
    await host.ready;
    const { remoteHosts } = engine;
    for (const [code, key, which] of wrong)
      await expect(remoteHosts.drain(given(which))).rejects.toEqual(refusal(code, key));
    for (const withinMs of wrongTimes)
      await expect(remoteHosts.drain({ pool: "default" }, given(withinMs))).rejects.toEqual(
        refusal("invalid_option", "withinMs"),
      );
    await expect(remoteHosts.drain({ namespace: "stagin" })).rejects.toMatchObject({ code: "not_found" });
    await expect(remoteHosts.drain({ hostId: "nobody" })).rejects.toMatchObject({
      group: "host",
      code: "not_found",
      metadata: { hostId: "nobody" },
    });
    expect(remoteHosts.list()).toMatchObject([{ state: "open" }]);
    const [{ hostId = "" } = {}] = remoteHosts.list();
    await remoteHosts.drain({ namespace: "default", hostId, olderThan: 1 });
    await host.over;
    await expect.poll(() => remoteHosts.list()).toEqual([]);
  });
});

describe("a host's drain", () => {
  const ways = [
    ["startHost", () => startHost({ use: { counter }, endpoint, token: "secret" })],
    [
      "registry.startHost",
      () => setup({ use: { counter } }).startHost({ endpoint, token: "secret", signals: false }),
    ],
  ] as const;

  test.each(ways)("of %s refuses a time that is none", async (_, start) => {
    const host = await start();
    const client = await engine.client();
    const before = await client.counter.getOrCreate("a").increment(1);
    for (const withinMs of wrongTimes)
      await expect(host.drain(given({ withinMs }))).rejects.toEqual(refusal("invalid_option", "withinMs"));
    for (const options of [5_000, null, "5s"])
      await expect(host.drain(given(options))).rejects.toEqual(refusal("invalid_option", "drain"));
    await expect(host.drain(given({ withinMS: 5 }))).rejects.toEqual(
      refusal("unknown_option", "drain.withinMS"),
    );
    expect(await client.counter.getOrCreate("a").increment(1)).toBe(before + 1);
    expect(engine.remoteHosts.list()).toMatchObject([{ state: "open", instances: 1 }]);
    await host.drain({ withinMs: 10_000 });
    await expect.poll(() => engine.remoteHosts.list()).toEqual([]);
  });
});
