/** Whose a request is: the actor's own path, its namespace, its host and its generation are looked at before anybody gets it. */
import { NO_PAYLOAD } from "@troupe/protocol/actor/v1";
import { actor, remoteActor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { rejection, watch } from "../driver/watch.ts";
import { SpokenHost, startHost } from "../remote/host.ts";

const door = actor({
  onRequest: (_c, request) => {
    const { pathname, search } = new URL(request.url);
    return new Response(`own ${pathname}${search}`);
  },
  actions: {},
});
const counter = actor({ state: { count: 0 }, actions: { increment: (c) => (c.state.count += 1) } });

test("S3.9 what is outside of an actor's own path never reaches it, nor what is another namespace's, another host's or an older generation's", async () => {
  const use = { door, counter: remoteActor<typeof counter>() };
  const tokens = [{ token: "secret" }, { token: "for-staging", namespace: "staging" }];
  await using driver = await Driver.start(use, {
    hosts: { tokens, actors: "any" },
    namespaces: ["staging"],
  });
  const answer = async (path: string) => {
    const response = await driver.fetch(`/actor/door${path}`);
    return response.status === 200 ? await response.text() : response.status;
  };
  for (const [path, own] of [
    ["/request", "own /"],
    ["/request/", "own /"],
    ["/request/a", "own /a"],
    ["/request?x", "own /?x"],
    ["/request/a/../b?x=1", "own /b?x=1"],
  ])
    expect([path, await answer(path ?? "")]).toEqual([path, own]);
  for (const path of [
    "/requestfoo",
    "/request%2Fa",
    "/Request",
    "/requests/a",
    "/xrequest",
    "/request/../requestfoo",
  ])
    expect([path, await answer(path)]).toEqual([path, 404]);
  // Namespace: an address of one is nobody's in the other, and a host of one takes nothing of the other.
  const id = await driver.client({ namespace: "staging" }).door.getOrCreate("a").resolve();
  const [there, here] = await Promise.all(
    ["@staging", ""].map((place) => driver.fetch(`/actor-id/${id}${place}/request/a`)),
  );
  expect([there?.status, here?.status]).toEqual([200, 404]);
  const hosts = () => driver.runtime.hosts;
  const outsider = startHost({ world: driver.world, hosts, use: { counter }, token: "for-staging" });
  expect(await rejection(outsider.client.ready)).toBe("host.not_allowed");
  const staging = startHost({
    world: driver.world,
    hosts,
    use: { counter },
    token: "for-staging",
    namespace: "staging",
  });
  await driver.world.idle();
  const call = watch(driver.act("counter", "increment"));
  await driver.world.idle();
  expect([call.state, staging.client.size]).toEqual(["pending", 0]);
  // Actor and generation: an instance that its host was never given, or hasn't any more, is fenced.
  const stranger = new SpokenHost(driver.world, hosts()).hello({ name: "other" });
  await driver.world.idle();
  stranger.say({
    $case: "actor",
    value: { instance: 1, body: { $case: "write", value: { rows: [], alarmChanged: true, alarmAt: 1 } } },
  });
  const value = {
    ask: 1,
    about: { $case: "sqlExecute" as const, value: { sql: "SELECT 1", params: NO_PAYLOAD, transaction: 0 } },
  };
  stranger.say({ $case: "actor", value: { instance: 2, body: { $case: "ask", value } } });
  await driver.world.idle();
  expect(stranger.told).toEqual(["1 stop broken", "2 answer"]);
  startHost({ world: driver.world, hosts, use: { counter } });
  await driver.world.idle();
  expect(call.value).toMatchObject({ output: 1 });
});
