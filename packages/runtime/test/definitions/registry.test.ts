/** The registry over a platform of the test's: what it says at the start, and in which order it stops. */
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { memoryCatalogue } from "../../src/ports/catalogue-file.ts";
import { openMemoryStore } from "../../src/ports/memory/open-memory-store.ts";
import type { Platform, ResolvedStartOptions } from "../../src/registry/platform.ts";
import { Registry } from "../../src/registry/registry.ts";
import { Latch, rejection, watch } from "../driver/watch.ts";
import { World } from "../driver/world.ts";

class TestPlatform implements Platform {
  engine(): object {
    return {};
  }

  dial(): Promise<never> {
    return Promise.reject(new Error("nobody is there"));
  }

  refused(): void {}

  readonly world = new World();
  readonly steps: string[] = [];
  readonly printed: string[] = [];
  /** The directories of the stores that were opened. */
  readonly directories: string[] = [];
  portTaken = false;
  openFails = false;
  alarmsFail = false;
  /** Awaited before a door opens. */
  beforeListen: Promise<void> | undefined;

  readonly env = () => this.world;
  readonly resolve = (options: object): ResolvedStartOptions => ({
    port: 1,
    host: "127.0.0.1",
    dataDir: "data",
    durability: "memory",
    signals: true,
    banner: true,
    ...options,
  });
  readonly openStore = async ({ dataDir }: { readonly dataDir: string }) => {
    if (this.openFails) throw new Error("no disk");
    this.directories.push(dataDir);
    this.steps.push("open store");
    const store = openMemoryStore({ env: this.world });
    if (this.alarmsFail) store.storage.nextAlarm = () => Promise.reject(new Error("no alarms"));
    return {
      ...store,
      catalogue: memoryCatalogue(),
      failure: () => undefined,
      close: async () => void this.steps.push("close store"),
    };
  };
  readonly listen = async ({ host, port }: { host: string; port: number }) => {
    await this.beforeListen;
    if (this.portTaken) throw new Error("port taken");
    this.steps.push("listen");
    return {
      endpoint: `http://${host}:${port}`,
      port,
      host,
      close: async () => void this.steps.push("close door"),
      end: () => void this.steps.push("end"),
    };
  };
  readonly listenForHosts = () => Promise.reject(new Error("no sockets"));
  readonly gateFetch = () => () => void this.steps.push("ungate fetch");
  readonly onSignal = () => () => void this.steps.push("unwatch signals");
  readonly memoryShort = () => false;
  readonly fatal = () => {};
  readonly print = (line: string) => void this.printed.push(line);
}

const napper = actor({
  onSleep: (c) => c.log.info("slept"),
  options: { stateSaveInterval: 1, onDestroyTimeout: 1 },
  actions: { ping: () => 1 },
});

test("a stop goes from the outside in: actors sleep, the door closes, then the files", async () => {
  const platform = new TestPlatform();
  const registry = new Registry({ use: { napper } }, platform);
  await registry.start();
  const client = await registry.client();
  await client.napper.getOrCreate().ping();
  platform.steps.length = 0;
  await Promise.all([registry.stop(), registry.stop()]);
  expect(platform.world.logged("info", "slept")).toHaveLength(1);
  expect(platform.steps).toEqual(["unwatch signals", "close door", "ungate fetch", "close store"]);
  expect(platform.world.pendingTimers).toBe(0);
});

test("options without an effect are named once, by actor", async () => {
  const platform = new TestPlatform();
  const registry = new Registry({ use: { napper } }, platform);
  await registry.start();
  await (await registry.client()).napper.getOrCreate().ping();
  const warnings = platform.world.logged("warn", "no effect");
  expect(warnings.map((line) => line.fields)).toEqual([
    { actor: "napper", options: ["stateSaveInterval", "onDestroyTimeout"] },
  ]);
  await registry.stop();
});

test("keys of RivetKit's setup without an effect are named once, and those that say nothing not at all", async () => {
  const platform = new TestPlatform();
  const unsaid: object = { endpoint: undefined };
  const ours = { noWelcome: true, startEngine: false, sqlite: "local", namespace: "default" } as const;
  const registry = new Registry({ use: {}, ...unsaid, ...ours }, platform);
  await registry.start();
  expect(platform.world.logged("warn", "no effect").map((line) => line.fields)).toEqual([
    { keys: ["noWelcome", "startEngine", "sqlite", "namespace"] },
  ]);
  await registry.stop();
});

test("actions that handles can't show are named at the start, and are called by name", async () => {
  const platform = new TestPlatform();
  const lobby = actor({
    actions: { connect: () => "called", on: { now: () => 1 }, call: () => 2, onward: () => 3 },
  });
  const registry = new Registry({ use: { lobby } }, platform);
  await registry.start();
  const [line, ...others] = platform.world.logged("warn", "call the actions with action({ name })");
  expect([line?.fields, others]).toEqual([{ actor: "lobby", actions: ["connect", "on.now"] }, []]);
  const handle = (await registry.client()).lobby.getOrCreate();
  expect(await handle.action({ name: "connect" })).toBe("called");
  expect([await handle.call(), await handle.onward()]).toEqual([2, 3]);
  await registry.stop();
});

test("a start that fails gives everything back, and the next one works", async () => {
  const platform = new TestPlatform();
  const registry = new Registry({ use: { napper } }, platform);
  platform.openFails = true;
  expect(await rejection(registry.start())).toContain("no disk");
  platform.openFails = false;
  platform.portTaken = true;
  expect(await rejection(registry.start())).toContain("port taken");
  expect(platform.steps).toEqual(["open store", "ungate fetch", "close store"]);
  platform.portTaken = false;
  await registry.start();
  await registry.stop();
});

test("whoever calls behind a stop gets the store that was started, not another one", async () => {
  const platform = new TestPlatform();
  const registry = new Registry({ use: { napper } }, platform);
  const ask = () => registry.handler(new Request("http://127.0.0.1/livez"));
  await registry.start({ dataDir: "mine" });
  await registry.stop();
  expect((await ask()).status).toBe(200);
  await registry.stop();
  await (await registry.client()).napper.getOrCreate().ping();
  await registry.stop();
  // Asked for before the start, a stop ends.
  const [, , answer] = await Promise.all([registry.start({ dataDir: "other" }), registry.stop(), ask()]);
  expect(answer.status).toBe(200);
  await registry.stop();
  expect(platform.directories).toEqual(["mine", "mine", "mine", "other", "other"]);
});

test("two starts at once: the second is refused, and the first goes on", async () => {
  const platform = new TestPlatform();
  const registry = new Registry({ use: { napper } }, platform);
  const latch = new Latch();
  platform.beforeListen = latch.promise;
  const first = registry.start();
  const second = watch(registry.start());
  latch.open();
  expect((await first).port).toBe(1);
  await platform.world.idle();
  expect(second.code).toBe("config.already_started");
  expect(platform.steps).toEqual(["open store", "listen"]);
  expect(await (await registry.client()).napper.getOrCreate().ping()).toBe(1);
  await registry.stop();
});

test("a start that fails leaves the store to those who opened it", async () => {
  const platform = new TestPlatform();
  const registry = new Registry({ use: { napper } }, platform);
  const client = await registry.client();
  platform.portTaken = true;
  expect(await rejection(registry.start())).toContain("port taken");
  expect(await client.napper.getOrCreate().ping()).toBe(1);
  expect(platform.steps).toEqual(["open store"]);
  platform.portTaken = false;
  await registry.start();
  await registry.stop();
});

test("a stop waits for the start before it; a start, for the stop", async () => {
  const platform = new TestPlatform();
  const registry = new Registry({ use: { napper } }, platform);
  const latch = new Latch();
  platform.beforeListen = latch.promise;
  const started = registry.start();
  const stopped = registry.stop();
  const again = registry.start();
  latch.open();
  await Promise.all([started, stopped, again]);
  const life = ["open store", "listen"];
  const end = ["unwatch signals", "close door", "ungate fetch", "close store"];
  expect(platform.steps).toEqual([...life, ...end, ...life]);
  await registry.stop();
  expect(platform.steps).toEqual([...life, ...end, ...life, ...end]);
});

test("a start with other data than what is open is refused, and says what is open", async () => {
  const platform = new TestPlatform();
  const registry = new Registry({ use: { napper } }, platform);
  const client = await registry.client();
  const other = registry.start({ durability: "commit", dataDir: "elsewhere" });
  await expect(other).rejects.toThrow("has opened the store already, in memory");
  expect(await rejection(registry.start({ durability: "interval" }))).toBe("config.opened_otherwise");
  expect(platform.printed).toEqual([]);
  expect(await client.napper.getOrCreate().ping()).toBe(1);
  await registry.stop();
  await registry.start({ durability: "commit", dataDir: "elsewhere" });
  await registry.stop();
});

test("a runtime that can't begin gives the store and fetch back", async () => {
  const platform = new TestPlatform();
  const registry = new Registry({ use: { napper } }, platform);
  platform.alarmsFail = true;
  expect(await rejection(registry.start())).toContain("no alarms");
  expect(platform.steps).toEqual(["open store", "ungate fetch", "close store"]);
  platform.alarmsFail = false;
  await registry.start();
  await registry.stop();
});

test("actors that anybody may call are named when the application is to decide", async () => {
  const platform = new TestPlatform();
  const guarded = actor({ onBeforeConnect: () => {}, actions: {} });
  const access = { allowedHosts: ["a"], allowedOrigins: ["https://a"], auth: "application" } as const;
  const registry = new Registry({ use: { napper, guarded }, ...access }, platform);
  await registry.start({ host: "0.0.0.0" });
  expect(platform.printed.at(-1)).toBe("troupe  without onBeforeConnect, open to everyone: napper");
  await registry.stop();
});
