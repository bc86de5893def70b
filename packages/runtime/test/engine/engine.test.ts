/** An engine that takes any actor: hosts bring them, and it remembers which there are. */
import { actor, db, setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver, type DriverOptions } from "../driver/driver.ts";
import { rejection, watch } from "../driver/watch.ts";
import { startHost } from "../remote/host.ts";

const counter = actor({
  state: { count: 0 },
  actions: {
    increment: (c, by: number) => (c.state.count += by),
    later: async (c) => void (await c.schedule.after(60_000, "increment", 1)),
    other: async (c): Promise<unknown> =>
      await c
        .client()
        .getOrCreate("notes", "n")
        .action({ name: "add", args: ["from a counter"] }),
  },
});

const notes = actor({
  db: db({
    onMigrate: async (database) => {
      await database.execute("CREATE TABLE IF NOT EXISTS notes (text TEXT)");
    },
  }),
  actions: {
    add: async (c, text: string) => {
      await c.db.execute("INSERT INTO notes VALUES (?)", text);
      const rows = await c.db.execute<{ n: number }>("SELECT count(*) AS n FROM notes");
      return rows[0]?.n;
    },
  },
});

async function engine(options: DriverOptions = {}) {
  const driver = await Driver.start(
    {},
    { hosts: { token: "secret", actors: "any" }, databases: true, ...options },
  );
  const hosts = () => driver.runtime.hosts;
  const host = (given: Partial<Parameters<typeof startHost>[0]> = {}) =>
    startHost({ world: driver.world, hosts, use: { counter, notes }, ...given });
  return { driver, host };
}

test("an engine without actors of its own: what hosts bring is there, state, SQL and calls between them", async () => {
  const { driver, host } = await engine();
  await using _ = driver;
  expect(await driver.act("counter?key=a", "increment", 1)).toMatchObject({
    code: "host.not_brought",
    error: { retryable: true },
  });
  host();
  await driver.world.idle();
  expect(await driver.act("counter?key=a", "increment", 1)).toMatchObject({ output: 1 });
  expect(await driver.act("notes?key=n", "add", "one")).toMatchObject({ output: 1 });
  expect(await driver.act("counter?key=a", "other")).toMatchObject({ output: 2 });
});

test("calls of an actor that no host has brought are one calm line of the log a minute, however many there are", async () => {
  const { driver } = await engine();
  await using _ = driver;
  const lines = () => driver.world.lines.splice(0).map(({ level, fields }) => [level, fields]);
  for (let call = 0; call < 5; call += 1) await driver.act("counter?key=a", "increment", 1);
  const error = "host.not_brought";
  const why = 'No remote host has brought an actor "counter" yet';
  expect(lines()).toEqual([["warn", { error, why, more: 0 }]]);
  await driver.world.pass(60_000);
  await driver.act("counter?key=a", "increment", 1);
  expect(lines()).toEqual([["warn", { error, why, more: 4 }]]);
});

test("alarms that come due while no host is there wait for one, and say so once", async () => {
  const { driver, host } = await engine();
  await using _ = driver;
  const { client } = host();
  await driver.world.idle();
  for (const key of ["a", "b", "c"]) await driver.act(`counter?key=${key}`, "later");
  client.close();
  await driver.world.pass(100_000);
  expect(driver.world.logged("warn", "alarms wait").map(({ fields }) => fields)).toMatchObject([
    { error: "host.none_available", more: 0 },
  ]);
  expect(driver.world.logged("error", "")).toEqual([]);
  host();
  await driver.world.pass(10_000);
  for (const key of ["a", "b", "c"])
    expect(await driver.act(`counter?key=${key}`, "increment", 0)).toMatchObject({ output: 1 });
});

test("behind a restart a call waits for a host, in the pool that the last one named", async () => {
  const { driver, host } = await engine();
  await using _ = driver;
  host({ pool: "gpu" });
  await driver.world.idle();
  expect(await driver.act("counter?key=a", "increment", 1)).toMatchObject({ output: 1 });
  await driver.crash();
  const call = watch(driver.act("counter?key=a", "increment", 1));
  await driver.world.idle();
  expect([call.state, driver.runtime.hosts.waiting()]).toMatchObject([
    "pending",
    [{ pool: "gpu", name: "counter", state: "starting" }],
  ]);
  expect(driver.runtime.catalogue.list()).toMatchObject([{ name: "default", pools: ["gpu"] }]);
  host({ pool: "gpu" });
  await driver.world.idle();
  expect(call.value).toMatchObject({ output: 2 });
});

test("a version that was withdrawn stays so behind a restart, until it is restored", async () => {
  const { driver, host } = await engine();
  await using _ = driver;
  driver.runtime.hosts.withdraw("default", 2);
  driver.runtime.hosts.withdraw("gpu", 7);
  await driver.crash();
  host({ programVersion: 2 });
  await driver.world.idle();
  const call = watch(driver.act("counter?key=a", "increment", 1));
  await driver.world.idle();
  expect([call.state, driver.runtime.hosts.list()[0]?.instances]).toEqual(["pending", 0]);
  host({ programVersion: 1 });
  await driver.world.idle();
  expect(call.value).toMatchObject({ output: 1 });
  driver.runtime.hosts.restore("default", 2);
  await driver.crash();
  host({ programVersion: 2 });
  await driver.world.idle();
  expect(await driver.act("counter?key=a", "increment", 1)).toMatchObject({ output: 2 });
  expect(driver.runtime.catalogue.withdrawals()).toEqual([
    { namespace: "default", pool: "gpu", programVersion: 7 },
  ]);
  for (const wrong of [-1, 0.5, Number.NaN])
    expect(() => driver.runtime.hosts.withdraw("default", wrong)).toThrow(/programVersion/);
});

test("a pool that nobody knows is made for the host that names it; a name that is none is refused", async () => {
  const { driver, host } = await engine();
  await using _ = driver;
  host({ pool: "new.one-1" });
  await driver.world.idle();
  expect(driver.runtime.catalogue.list()[0]?.pools).toEqual(["new.one-1"]);
  for (const pool of ["a\nb", "a/b c", "-a", "x".repeat(65)])
    expect(await rejection(host({ pool }).client.ready)).toBe("host.invalid_pool");
});

test("a token for some hosts alone opens nothing else, and doesn't tell what there is", async () => {
  const tokens = [
    { token: "for-gpu", pool: "gpu" },
    { token: "for-staging", namespace: "staging" },
    { token: "for-staging", namespace: "test" },
  ];
  const namespaces = ["staging", "test"];
  const { driver, host } = await engine({ hosts: { tokens, actors: "any" }, namespaces });
  await using _ = driver;
  const ready = (given: Parameters<typeof host>[0]) => host(given).client.ready;
  const inPool = ready({ token: "for-gpu", pool: "gpu" });
  const inNamespace = ready({ token: "for-staging", namespace: "staging" });
  await driver.world.idle();
  await inPool;
  await inNamespace;
  await ready({ token: "for-staging", namespace: "test" });
  expect(await rejection(ready({ token: "for-gpu" }))).toBe("host.not_allowed");
  expect(await rejection(ready({ token: "for-staging" }))).toBe("host.not_allowed");
  expect(await rejection(ready({ token: "for-gpu", pool: "gpu", namespace: "nowhere" }))).toBe(
    "namespace.not_found",
  );
  expect(await rejection(ready({ token: "for-staging", namespace: "nowhere" }))).toBe("host.not_allowed");
  expect(await rejection(ready({ token: "guess", namespace: "nowhere" }))).toBe("host.wrong_token");
});

test("a token is for a namespace, not for its name: a rename keeps its right, and a new one of the old name is another", async () => {
  const tokens = [{ token: "for-staging", namespace: "staging" }];
  const { driver, host } = await engine({ hosts: { tokens, actors: "any" }, namespaces: ["staging"] });
  await using _ = driver;
  const { catalogue } = driver.runtime;
  const there = host({ token: "for-staging", namespace: "staging" });
  await driver.world.idle();
  expect(await driver.act("counter?key=a&namespace=staging", "increment", 1)).toMatchObject({ output: 1 });
  catalogue.rename("staging", "test");
  catalogue.create("staging");
  // A host whose session goes on is in the namespace that it was taken into.
  there.links[0]?.break();
  await driver.world.pass(1_000);
  expect([there.links.length, there.client.size]).toEqual([2, 1]);
  expect(await driver.act("counter?key=a&namespace=test", "increment", 1)).toMatchObject({ output: 2 });
  expect(driver.runtime.hosts.list()).toMatchObject([{ namespace: "test", state: "open" }]);
  await host({ token: "for-staging", namespace: "test" }).client.ready;
  expect(await rejection(host({ token: "for-staging", namespace: "staging" }).client.ready)).toBe(
    "host.not_allowed",
  );
});

test("settings that say an old name mean the same namespace behind a restart, until another one is called so", async () => {
  const tokens = [{ token: "for-staging", namespace: "staging" }];
  const { driver, host } = await engine({ hosts: { tokens, actors: "any" }, namespaces: ["staging"] });
  await using _ = driver;
  const names = () => driver.runtime.catalogue.list().map(({ name }) => name);
  host({ token: "for-staging", namespace: "staging" });
  await driver.world.idle();
  expect(await driver.act("counter?key=a&namespace=staging", "increment", 1)).toMatchObject({ output: 1 });
  driver.runtime.catalogue.rename("staging", "test");
  await driver.crash();
  expect(names()).toEqual(["default", "test"]);
  // Who says a name from outside says one that is there now.
  expect(await rejection(host({ token: "for-staging", namespace: "staging" }).client.ready)).toBe(
    "host.not_allowed",
  );
  await host({ token: "for-staging", namespace: "test" }).client.ready;
  expect(await driver.act("counter?key=a&namespace=test", "increment", 1)).toMatchObject({ output: 2 });
  driver.runtime.catalogue.rename("test", "other");
  driver.runtime.catalogue.create("staging");
  await driver.crash();
  expect(names()).toEqual(["default", "other", "staging"]);
  await host({ token: "for-staging", namespace: "staging" }).client.ready;
  expect(await rejection(host({ token: "for-staging", namespace: "other" }).client.ready)).toBe(
    "host.not_allowed",
  );
});

test("a token or a pool of functions for a namespace that isn't there doesn't let an engine start", async () => {
  for (const hosts of [
    { tokens: [{ token: "for-staging", namespace: "stagin" }] },
    {
      token: "secret",
      serverless: [{ pool: "edge", url: "https://functions.example", namespace: "stagin" }],
    },
  ]) {
    const program = setup({ use: {}, hosts, namespaces: ["staging"] });
    const started = program.start({ port: 0, durability: "memory", signals: false, banner: false });
    await expect(started).rejects.toMatchObject({
      code: "invalid_option",
      message: expect.stringMatching(/hosts\.\w+\.namespace.*"stagin" isn't/),
    });
  }
});

test("a host that brings names without end is refused, and what was known stays", async () => {
  const { driver, host } = await engine();
  await using _ = driver;
  for (let round = 0; round < 20; round += 1) {
    const many = Array.from({ length: 250 }, (_, index) => [`a${round}-${index}`, counter] as const);
    host({ use: Object.fromEntries(many) }).client.ready.catch(() => {});
    await driver.world.idle();
  }
  const names = driver.runtime.catalogue.actorNames("default");
  expect(names.length).toBeGreaterThan(3_000);
  expect(names.length).toBeLessThan(4_096);
  expect(await driver.act("a0-1?key=a", "increment", 1)).toMatchObject({ output: 1 });
});
