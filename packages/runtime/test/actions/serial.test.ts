/** `concurrency: "serial"`: one entry at a time, in the order of their coming. */
import { limits } from "@troupe/protocol";
import { actor } from "@troupe/runtime";
import { beforeEach, expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { codeOf, Latch, watch } from "../driver/watch.ts";

/** What happened inside of the actor, in order. */
const log: string[] = [];
let gates: Record<string, Latch> = {};

beforeEach(() => {
  log.length = 0;
  gates = {};
});

function gateOf(name: string): Latch {
  gates[name] ??= new Latch();
  return gates[name];
}

async function step(name: string): Promise<string> {
  log.push(`${name} in`);
  await gateOf(name).promise;
  log.push(`${name} out`);
  return name;
}

const serial = { concurrency: "serial", sleepTimeout: 3_600_000 } as const;

const desk = actor({
  state: { served: [] as string[] },
  options: { ...serial, actionTimeout: 1_000 },
  actions: {
    serve: async (c, name: string) => {
      await step(name);
      c.state.served.push(name);
    },
    quick: (c, name: string) => {
      log.push(name);
      c.state.served.push(name);
      return name;
    },
    plan: async (c, name: string) => {
      await c.schedule.after(0, "serve", name);
    },
  },
});

test("one at a time, in the order of their coming, over every door", async () => {
  await using driver = await Driver.start({ desk });
  const socket = driver.socket("/actor/desk/connect").hello();
  await driver.world.idle();
  const a = watch(driver.act("desk", "serve", "a"));
  await driver.world.idle();
  socket.action(1, "serve", "b");
  await driver.world.idle();
  const c = watch(driver.act("desk", "quick", "c"));
  await driver.world.idle();
  expect([log, a.state, c.state]).toEqual([["a in"], "pending", "pending"]);
  gateOf("a").open();
  await driver.world.idle();
  expect([log, a.value?.status, c.state]).toEqual([["a in", "a out", "b in"], 200, "pending"]);
  gateOf("b").open();
  await driver.world.idle();
  expect(log).toEqual(["a in", "a out", "b in", "b out", "c"]);
  expect(socket.story).toEqual(["welcome", "reply 1 undefined"]);
  expect(c.value?.output).toBe("c");
});

test("one that fails lets the next one in", async () => {
  const failing = actor({
    options: serial,
    actions: {
      fail: () => {
        throw new Error("now");
      },
      failLater: async () => {
        await step("f");
        throw new Error("later");
      },
      fine: () => "fine",
    },
  });
  await using driver = await Driver.start({ failing });
  const later = watch(driver.act("failing", "failLater"));
  await driver.world.idle();
  const [now, fine] = [driver.act("failing", "fail"), driver.act("failing", "fine")].map(watch);
  gateOf("f").open();
  await driver.world.idle();
  expect([later.value?.status, now?.value?.status, fine?.value?.output]).toEqual([500, 500, "fine"]);
});

test("scheduled calls have their turn as well", async () => {
  await using driver = await Driver.start({ desk });
  void driver.act("desk", "serve", "a");
  await driver.world.idle();
  await Promise.resolve();
  gateOf("a").open();
  await driver.act("desk", "plan", "late");
  const next = watch(driver.act("desk", "quick", "q"));
  await driver.world.pass(1);
  // The schedule and the call, whichever came first, but never both.
  gateOf("late").open();
  await driver.world.pass(10);
  expect(next.value?.output).toBe("q");
  const late = log.indexOf("late in");
  expect(log[late + 1]).toBe("late out");
});

test("an action that took too long is in until it has ended: its caller is told, nobody else is let in", async () => {
  await using driver = await Driver.start({ desk });
  const slow = watch(driver.act("desk", "serve", "slow"));
  await driver.world.pass(500);
  const next = watch(driver.act("desk", "quick", "next"));
  await driver.world.pass(500);
  expect([slow.value?.code, next.state]).toEqual(["actor.action_timed_out", "pending"]);
  gateOf("slow").open();
  await driver.world.idle();
  expect([log, next.value?.output]).toEqual([["slow in", "slow out", "next"], "next"]);
});

test("whose turn doesn't come in time is told so, and may try again: nothing ran", async () => {
  await using driver = await Driver.start({ desk });
  await using client = driver.client({ retry: { deadlineMs: 0 } });
  void driver.act("desk", "serve", "slow");
  await driver.world.idle();
  const late = watch(driver.act("desk", "quick", "late"));
  const own = watch(client.desk.getOrCreate().action({ name: "quick", args: ["own"], timeoutMs: 200 }));
  const stop = new AbortController();
  const gone = watch(
    client.desk.getOrCreate().action({ name: "quick", args: ["gone"], signal: stop.signal }),
  );
  await driver.world.idle();
  stop.abort();
  await driver.world.pass(200);
  expect([own.code, gone.code, late.state]).toEqual([
    "client.deadline_exceeded",
    "client.aborted",
    "pending",
  ]);
  await driver.world.pass(800);
  expect(late.value).toMatchObject({
    status: 503,
    code: "actor.serial_timed_out",
    error: { retryable: true, metadata: { timeoutMs: 1_000 } },
  });
  gateOf("slow").open();
  await driver.world.idle();
  expect(log).toEqual(["slow in", "slow out"]);
});

test("so many may wait, and one more is told to try again later", async () => {
  await using driver = await Driver.start({ desk });
  void driver.act("desk", "serve", "slow");
  await driver.world.idle();
  const waiting = Array.from({ length: limits.serialEntries }, (_, n) =>
    watch(driver.act("desk", "quick", String(n))),
  );
  await driver.world.idle();
  expect(await driver.act("desk", "quick", "more")).toMatchObject({
    status: 503,
    code: "actor.serial_queue_full",
    error: { retryable: true, metadata: { limit: limits.serialEntries } },
  });
  gateOf("slow").open();
  await driver.world.idle();
  expect(waiting.every(({ value }) => value?.status === 200)).toBe(true);
  expect(log.slice(2)).toEqual(waiting.map((_, n) => String(n)));
});

test("connect hooks are entries, each client's together; onDisconnect as well", async () => {
  const hall = actor({
    options: serial,
    onBeforeConnect: () => step("before").then(() => {}),
    onConnect: () => void log.push("connect"),
    onDisconnect: () => step("disconnect").then(() => {}),
    actions: { act: () => void log.push("act") },
  });
  await using driver = await Driver.start({ hall });
  const socket = driver.socket("/actor/hall/connect").hello();
  await driver.world.idle();
  const other = driver.socket("/actor/hall/connect").hello();
  await driver.world.idle();
  expect(log).toEqual(["before in"]);
  gateOf("before").open();
  await driver.world.idle();
  expect(log).toEqual(["before in", "before out", "connect", "before in", "before out", "connect"]);
  log.length = 0;
  socket.close();
  await driver.world.idle();
  other.action(1, "act");
  await driver.world.idle();
  expect(log).toEqual(["disconnect in"]);
  gateOf("disconnect").open();
  await driver.world.idle();
  expect(log).toEqual(["disconnect in", "disconnect out", "act"]);
});

test("a stateless call passes the connect hooks in its own turn, and ends with them", async () => {
  const hall = actor({
    options: serial,
    onBeforeConnect: () => void log.push("before"),
    onDisconnect: () => void log.push("after"),
    actions: { act: (_c, name: string) => step(name) },
  });
  await using driver = await Driver.start({ hall });
  gateOf("a").open();
  gateOf("b").open();
  await Promise.all([driver.act("hall", "act", "a"), driver.act("hall", "act", "b")]);
  await driver.world.idle();
  expect(log).toEqual(["before", "a in", "a out", "after", "before", "b in", "b out", "after"]);
});

test("run is no entry, and enters by c.exclusive; inside of an entry it is there already", async () => {
  let go = new Latch();
  const looping = actor({
    options: serial,
    run: async (c) => {
      log.push("run");
      await go.promise;
      await c.exclusive(() => step("exclusive"));
    },
    actions: {
      serve: (_c, name: string) => step(name),
      within: (c) => c.exclusive(() => "within"),
    },
  });
  await using driver = await Driver.start({ looping });
  const first = watch(driver.act("looping", "serve", "a"));
  await driver.world.idle();
  go.open();
  await driver.world.idle();
  const second = watch(driver.act("looping", "serve", "b"));
  await driver.world.idle();
  expect(log).toEqual(["run", "a in"]);
  gateOf("a").open();
  await driver.world.idle();
  expect([first.value?.output, log]).toEqual(["a", ["run", "a in", "a out", "exclusive in"]]);
  gateOf("exclusive").open();
  gateOf("b").open();
  await driver.world.idle();
  expect([second.value?.output, log.slice(-2)]).toEqual(["b", ["b in", "b out"]]);
  expect((await driver.act("looping", "within")).output).toBe("within");
  go = new Latch();
});

test("a result that comes in items is in until the last one", async () => {
  const counting = actor({
    options: serial,
    actions: {
      count: async function* () {
        yield await step("one");
        yield await step("two");
      },
      act: () => void log.push("act"),
    },
  });
  await using driver = await Driver.start({ counting });
  await using client = driver.client();
  const connection = client.counting.getOrCreate().connect();
  await connection.ready;
  const items: unknown[] = [];
  const read = watch(
    (async () => {
      for await (const item of connection.count()) items.push(item);
    })(),
  );
  await driver.world.idle();
  const act = watch(driver.act("counting", "act"));
  gateOf("one").open();
  await driver.world.idle();
  expect([log, items, act.state]).toEqual([["one in", "one out", "two in"], ["one"], "pending"]);
  gateOf("two").open();
  await driver.world.idle();
  expect([items, read.state, log.at(-1)]).toEqual([["one", "two"], "resolved", "act"]);
});

test("c.exclusive of an actor that lets everybody in at once is refused by name", async () => {
  const open = actor({
    actions: {
      act: (c) =>
        c
          .exclusive(() => 1)
          .then(
            () => "let in",
            (error: unknown) => codeOf(error),
          ),
    },
  });
  await using driver = await Driver.start({ open });
  expect((await driver.act("open", "act")).output).toBe("actor.not_serial");
});

test("messages of raw sockets have their turns, those of one socket in order", async () => {
  const talking = actor({
    options: serial,
    onWebSocket: (_c, websocket) => {
      websocket.addEventListener("message", async ({ data }) => {
        await step(String(data));
        websocket.send(`${String(data)} done`);
      });
    },
    actions: { act: () => void log.push("act") },
  });
  await using driver = await Driver.start({ talking });
  await using client = driver.client();
  const heard: string[] = [];
  const socket = await client.talking.getOrCreate().webSocket();
  socket.addEventListener("message", ({ data }) => void heard.push(String(data)));
  await driver.world.idle();
  socket.send("one");
  socket.send("two");
  await driver.world.idle();
  const act = watch(driver.act("talking", "act"));
  await driver.world.idle();
  expect([log, act.state]).toEqual([["one in"], "pending"]);
  gateOf("one").open();
  await driver.world.idle();
  gateOf("two").open();
  await driver.world.idle();
  expect(heard).toEqual(["one done", "two done"]);
  expect(act.value?.status).toBe(200);
  expect(log.filter((line) => line !== "act")).toEqual(["one in", "one out", "two in", "two out"]);
});

test("a stop lets those that wait have their turns; in its grace period", async () => {
  await using driver = await Driver.start({ desk });
  const first = watch(driver.act("desk", "serve", "a"));
  await driver.world.idle();
  const second = watch(driver.act("desk", "quick", "b"));
  await driver.world.idle();
  const { actorId = "" } = await driver.http("POST", "/actor/desk/resolve");
  const asleep = watch(driver.runtime.host.sleep(actorId));
  await driver.world.idle();
  gateOf("a").open();
  await driver.world.idle();
  expect([first.value?.status, second.value?.output, asleep.state]).toEqual([200, "b", "resolved"]);
});

test("whose turn never came before the actor slept is let in by the next activation", async () => {
  const stuck = actor({
    state: { lives: 0 },
    options: { ...serial, sleepGracePeriod: 100, actionTimeout: 60_000 },
    onWake: (c) => {
      c.state.lives += 1;
    },
    actions: { hang: () => new Promise(() => {}), lives: (c) => c.state.lives },
  });
  await using driver = await Driver.start({ stuck });
  await using client = driver.client();
  void driver.act("stuck", "hang");
  await driver.world.idle();
  const lives = watch(client.stuck.getOrCreate().lives());
  await driver.world.idle();
  const { actorId = "" } = await driver.http("POST", "/actor/stuck/resolve");
  void driver.runtime.host.sleep(actorId);
  await driver.world.pass(5_000);
  expect(lives.value).toBe(2);
});
