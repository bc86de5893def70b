/** Namespaces: sets of actors of the same definitions that never see each other. */
import { engineLimits } from "@troupe/protocol";
import { actor, remoteActor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Catalogue } from "../../src/engine/catalogue.ts";
import { memoryCatalogue } from "../../src/ports/catalogue-file.ts";
import { Driver } from "../driver/driver.ts";
import { rejection, watch } from "../driver/watch.ts";
import { World } from "../driver/world.ts";
import { startHost } from "../remote/host.ts";

const counter = actor({
  state: { count: 0 },
  onRequest: (c, request) => new Response(`${c.state.count} ${new URL(request.url).search}`),
  actions: {
    increment: (c, by: number) => (c.state.count += by),
    read: (c) => c.state.count,
    askOther: async (c, key: string): Promise<number> => {
      const client = c.client();
      return await client.getOrCreate("counter", key).action<number>({ name: "read", args: [] });
    },
    askById: async (c, id: string): Promise<unknown> =>
      await c.client().getForId("counter", id).action({ name: "read", args: [] }),
  },
});

async function twoNamespaces() {
  const driver = await Driver.start({ counter });
  const id = driver.runtime.catalogue.create("staging");
  return { driver, id, live: driver.client(), staging: driver.client({ namespace: "staging" }) };
}

test("one address in two namespaces is two actors, by every door", async () => {
  const { driver, live, staging } = await twoNamespaces();
  await using _ = driver;
  expect(await live.counter.getOrCreate("a").increment(1)).toBe(1);
  expect(await staging.counter.getOrCreate("a").increment(10)).toBe(10);
  const connection = staging.counter.getOrCreate("a").connect();
  expect(await connection.increment(1)).toBe(11);
  await connection.dispose();
  const answer = await staging.counter.getOrCreate("a").fetch("/?x=1");
  expect(await answer.text()).toBe("11 ?x=1");
  expect(await live.counter.getOrCreate("a").read()).toBe(1);
  expect(await driver.act("counter?key=a&namespace=staging", "read")).toMatchObject({ output: 11 });
});

test("S3.9 (in part): an id of one namespace is nobody's in another, and wakes nobody", async () => {
  const { driver, live, staging } = await twoNamespaces();
  await using _ = driver;
  const id = await staging.counter.getOrCreate("a").resolve();
  expect(await staging.counter.getForId(id).read()).toBe(0);
  expect(await rejection(live.counter.getForId(id).read())).toBe("actor.not_found");
  await driver.runtime.host.sleep(id);
  expect(await rejection(live.counter.getForId(id).read())).toBe("actor.not_found");
  expect(driver.runtime.host.phase(id)).toBe("asleep");
  const url = await staging.counter.getForId(id).getGatewayUrl();
  expect(url).toContain(`${id}@staging`);
  const raw = await driver.fetch(`${new URL(url).pathname}/request/`);
  expect(await raw.text()).toBe("0 ");
});

test("what an actor calls is in its own namespace, and it finds nothing of another by id", async () => {
  const { driver, live, staging } = await twoNamespaces();
  await using _ = driver;
  await live.counter.getOrCreate("b").increment(7);
  await staging.counter.getOrCreate("b").increment(3);
  expect(await live.counter.getOrCreate("a").askOther("b")).toBe(7);
  expect(await staging.counter.getOrCreate("a").askOther("b")).toBe(3);
  const id = await live.counter.getOrCreate("b").resolve();
  expect(await rejection(staging.counter.getOrCreate("a").askById(id))).toBe("actor.not_found");
});

test("a namespace that isn't there is refused by name, at every door", async () => {
  const { driver } = await twoNamespaces();
  await using _ = driver;
  const lost = driver.client({ namespace: "stagin" });
  expect(await rejection(lost.counter.getOrCreate("a").read())).toBe("namespace.not_found");
  expect(await driver.act("counter?key=a&namespace=x", "read")).toMatchObject({
    code: "namespace.not_found",
  });
  expect(await driver.act("counter?namespace=a&namespace=b", "read")).toMatchObject({ status: 400 });
  expect(await driver.http("POST", "/actor-id/x@nowhere/resolve", {})).toMatchObject({
    code: "namespace.not_found",
  });
});

test("the id is for life, the name is not: a renamed namespace keeps its actors, over a crash too", async () => {
  const { driver, id, staging } = await twoNamespaces();
  await using _ = driver;
  await staging.counter.getOrCreate("a").increment(5);
  driver.runtime.catalogue.rename("staging", "test");
  expect(await rejection(staging.counter.getOrCreate("a").read())).toBe("namespace.not_found");
  await driver.crash();
  expect(driver.runtime.catalogue.list()).toMatchObject([{ name: "default" }, { id, name: "test" }]);
  expect(await driver.client({ namespace: "test" }).counter.getOrCreate("a").read()).toBe(5);
});

test("formerNames: so many are known of one namespace; a name is one namespace's, and a rename that can't be kept takes none", () => {
  const world = new World();
  const file = memoryCatalogue();
  const catalogue = new Catalogue(world, file);
  const id = catalogue.create("name-0");
  for (let n = 1; n <= engineLimits.formerNames + 1; n += 1) catalogue.rename(`name-${n - 1}`, `name-${n}`);
  const again = new Catalogue(world, file);
  expect(["name-0", "name-1", "name-2"].map((name) => again.configured(name))).toEqual([undefined, id, id]);
  const other = again.create("other");
  const { write } = file;
  file.write = () => {
    throw new Error("no room");
  };
  expect(() => again.rename("other", "name-5")).toThrow("no room");
  expect(() => again.create("name-5")).toThrow("no room");
  expect(again.configured("name-5")).toBe(id);
  file.write = write;
  again.rename("other", "name-5");
  expect([again.configured("name-5"), again.configured("other")]).toEqual([other, other]);
  again.rename("name-5", "last");
  expect([again.configured("name-5"), again.configured("name-6")]).toEqual([other, id]);
});

test("names are checked, none is given twice, and what can't be kept isn't there", () => {
  const file = memoryCatalogue();
  const catalogue = new Catalogue(new World(), file);
  const codeOf = (work: () => unknown): string => {
    try {
      work();
      return "";
    } catch (error) {
      return Object(error).code;
    }
  };
  catalogue.create("a");
  for (const name of ["", "a b", "a/b", "ä", "x".repeat(65), "-a"])
    expect(codeOf(() => catalogue.create(name))).toBe("invalid_name");
  expect(codeOf(() => catalogue.create("a"))).toBe("taken");
  expect(codeOf(() => catalogue.rename("default", "b"))).toBe("not_found");
  expect(codeOf(() => catalogue.rename("a", "default"))).toBe("taken");
  file.write = () => {
    throw new Error("no room");
  };
  expect(codeOf(() => catalogue.create("b"))).toBe(undefined);
  expect(codeOf(() => catalogue.idOf("b"))).toBe("not_found");
  for (const text of ["", "{}", '{"catalogue":2,"namespaces":[]}', '{"catalogue":1,"namespaces":[{}]}']) {
    const damaged = { path: "catalogue.json", read: () => text, write: () => {} };
    expect(codeOf(() => new Catalogue(new World(), damaged))).toBe("corrupt");
  }
});

test("hosts belong to one namespace: an actor runs on those of its own, under one name of a pool", async () => {
  const driver = await Driver.start({ counter: remoteActor<typeof counter>() }, { hostToken: "secret" });
  await using _ = driver;
  driver.runtime.catalogue.create("staging");
  const hosts = () => driver.runtime.hosts;
  const live = startHost({ world: driver.world, hosts, use: { counter } });
  await driver.world.idle();
  const call = watch(driver.act("counter?key=a&namespace=staging", "increment", 1));
  await driver.world.idle();
  expect([call.state, live.client.size]).toEqual(["pending", 0]);
  const staging = startHost({ world: driver.world, hosts, use: { counter }, namespace: "staging" });
  await driver.world.idle();
  expect(call.value).toMatchObject({ output: 1 });
  expect([live.client.size, staging.client.size]).toEqual([0, 1]);
  staging.client.close();
  await driver.world.idle();
  const refused = watch(driver.act("counter?key=b&namespace=staging", "increment", 1));
  await driver.world.pass(10_001);
  const metadata = { pool: "default", namespace: "staging", name: "counter" };
  const message = 'No remote host in pool "default" of namespace "staging" has the actor "counter"';
  expect(refused.value).toMatchObject({ code: "host.none_available", error: { message, metadata } });
  expect(driver.world.logged("warn", "calls are refused")).toMatchObject([{ fields: { why: message } }]);
  startHost({ world: driver.world, hosts, use: { counter }, namespace: "staging" });
  await driver.world.idle();
  expect(hosts().list()).toMatchObject([{ namespace: "default" }, { namespace: "staging" }]);
  const lost = startHost({ world: driver.world, hosts, use: { counter }, namespace: "nowhere" });
  expect(await rejection(lost.client.ready)).toBe("namespace.not_found");
});
