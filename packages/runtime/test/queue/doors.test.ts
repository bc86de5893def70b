/** Who may send what to a queue, by which door, and what is refused. */
import { limits } from "@troupe/protocol";
import { actor, queue, type StandardSchema } from "@troupe/runtime";
import { describe, expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { codeOf, Latch, rejection, watch } from "../driver/watch.ts";

/** A number that may come as text. */
function number(later = false): StandardSchema<unknown, number> {
  const validate = (value: unknown) => {
    const found = Number(value);
    return Number.isNaN(found) ? { issues: [{ message: "no number", path: ["n"] }] } : { value: found };
  };
  return {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: later ? async (value) => validate(value) : validate,
    },
  };
}

const office = actor({
  types: {} as { connParams: { key: string } },
  state: { hooks: [] as string[] },
  connState: { open: true },
  queues: {
    plain: queue<unknown>(),
    bare: number(),
    checked: { message: number(true), complete: number() },
    guarded: queue<{ key: string }>({
      canPublish: async (c, message) => {
        const params = c.conn.params as { key?: string } | undefined;
        return params?.key === message.key;
      },
    }),
    closed: queue<number>({
      canPublish: () => {
        throw new TypeError("nobody looks here");
      },
    }),
  },
  options: { maxQueueSize: 3, maxQueueMessageSize: 100 },
  onConnect: (c) => {
    c.state.hooks.push("connect");
  },
  onDisconnect: (c) => {
    c.state.hooks.push("disconnect");
  },
  actions: {
    hooks: (c) => c.state.hooks,
    take: async (c) => (await c.queue.tryNext())?.body,
    reply: async (c, reply: unknown) => {
      const message = await c.queue.tryNext({ names: ["checked"], completable: true });
      await message?.complete(reply as number);
    },
    bad: async (c, what: keyof typeof mistakes) => {
      const found = await mistakes[what](c.queue as Queue).catch(codeOf);
      return found;
    },
    sendAll: async (c) => {
      for (let n = 0; n < 3; n += 1) await c.queue.send("plain", n);
      return await c.queue.send("plain", 3).catch(codeOf);
    },
  },
});

/** As JavaScript sees it: what is wrong isn't seen by the compiler. */
interface Queue {
  send(name: string, body: unknown): Promise<unknown>;
  tryNext(options: object): Promise<unknown>;
  tryNextBatch(options: object): Promise<unknown>;
  next(options: object): Promise<unknown>;
  complete(of: object): Promise<unknown>;
  readonly deadLetters: { list(options: object): Promise<unknown> };
}
const mistakes = {
  name: (c: Queue) => c.send("", 1),
  half: (c: Queue) => c.tryNext({ names: ["\ud800"] }),
  unknown: (c: Queue) => c.send("nowhere", 1),
  count: (c: Queue) => c.tryNextBatch({ count: 0 }),
  timeout: (c: Queue) => c.next({ timeout: -1 }),
  letters: (c: Queue) => c.deadLetters.list({ limit: 1.5 }),
  large: (c: Queue) => c.send("plain", "x".repeat(101)),
  payload: (c: Queue) => c.send("bare", "text"),
  value: (c: Queue) => c.send("plain", () => {}),
  gone: (c: Queue) => c.complete({ id: 9, name: "plain" }),
};

describe("what the actor itself gets wrong", () => {
  test.each([
    ["name", "queue.invalid_name"],
    ["half", "queue.invalid_name"],
    ["unknown", "queue.not_found"],
    ["count", "queue.invalid_option"],
    ["timeout", "queue.invalid_option"],
    ["letters", "queue.invalid_option"],
    ["large", "queue.message_too_large"],
    ["payload", "queue.invalid_payload"],
    ["value", "value.unsupported_type"],
    ["gone", "queue.already_completed"],
  ] as const)("%s is %s", async (what, code) => {
    await using driver = await Driver.start({ office });
    expect((await driver.act("office", "bad", what)).output).toBe(code);
  });
});

describe("by every door the same is refused", () => {
  const doors = ["http", "connection", "another actor"] as const;
  test.each(doors)("%s", async (door) => {
    await using driver = await Driver.start({ office });
    const handle = (door === "another actor" ? driver.local() : driver.client()).office.getOrCreate("o", {
      params: { key: "k" },
    });
    const sender = door === "connection" ? handle.connect() : handle;
    expect(await rejection(sender.send("nowhere" as "plain", 1))).toBe("queue.not_found");
    expect(await rejection(sender.send("plain", "x".repeat(101)))).toBe("queue.message_too_large");
    expect(await rejection(sender.send("bare", "text" as never))).toBe("queue.invalid_payload");
    expect(await rejection(sender.send("checked", Number.NaN))).toBe("queue.invalid_payload");
    expect(await rejection(sender.send("guarded", { key: "other" }))).toBe("auth.forbidden");
    expect(await rejection(sender.send("closed", 1))).toMatch(/internal/);
    await sender.send("guarded", { key: "k" });
    await sender.send("bare", "7" as never);
    await sender.send("plain", undefined);
    expect(await rejection(sender.send("plain", 1))).toBe("queue.full");
    expect([await handle.take(), await handle.take(), await handle.take()]).toEqual([
      { key: "k" },
      7,
      undefined,
    ]);
  });
});

test("a reply is checked as well, and has the limit of a message", async () => {
  await using driver = await Driver.start({ office });
  const handle = driver.client().office.getOrCreate("o");
  const sent = watch(handle.send("checked", 1, { wait: true }));
  await driver.world.idle();
  expect(await rejection(handle.reply("text"))).toBe("queue.invalid_completion_payload");
  await driver.world.pass(limits.queueRetryMs);
  await handle.reply("12");
  await driver.world.until(() => sent.state !== "pending");
  expect(sent.value).toEqual({ status: "completed", response: 12 });
});

test("a sender without a connection passes the connect hooks", async () => {
  await using driver = await Driver.start({ office });
  const handle = driver.client().office.getOrCreate("o");
  await handle.send("plain", 1);
  expect((await handle.hooks()).slice(0, 2)).toEqual(["connect", "disconnect"]);
});

test("an actor may fill its queues to the limit, and no further", async () => {
  await using driver = await Driver.start({ office });
  expect((await driver.act("office", "sendAll")).output).toBe("queue.full");
});

test("an answer over HTTP says what became of a message; what isn't a message is refused", async () => {
  await using driver = await Driver.start({ office });
  const path = "/actor/office/queue/plain";
  expect((await driver.http("POST", path, { body: 1 })).output).toEqual({ status: "completed" });
  const late = watch(driver.http("POST", path, { body: 1, wait: true, timeoutMs: 0 }));
  await driver.world.pass(1);
  await driver.world.until(() => late.state !== "pending");
  expect(late.value?.output).toEqual({ status: "timedOut" });
  for (const wrong of [{ wait: 1 }, { timeoutMs: -1 }, { ticket: "no spaces" }, { ticket: "x".repeat(65) }]) {
    expect((await driver.http("POST", path, { body: 1, ...wrong })).code).toBe("protocol.malformed_frame");
  }
  expect((await driver.http("POST", "/actor/office/queue")).code).toBe("gateway.not_found");
});

test("a message with a ticket is in its queue once though nobody waits, while it waits there and when it was handled", async () => {
  const desk = actor({
    queues: { jobs: queue<number>() },
    actions: {
      count: async (c) => (await c.queue.nextBatch({ names: ["jobs"], count: 10, timeout: 0 })).length,
    },
  });
  await using driver = await Driver.start({ desk });
  const send = async (ticket: string) =>
    (await driver.http("POST", "/actor/desk/queue/jobs", { body: 1, ticket })).output;
  const stored = { status: "completed" };
  expect([await send("t-1"), await send("t-1"), await send("t-2")]).toEqual([stored, stored, stored]);
  expect((await driver.act("desk", "count")).output).toBe(2);
  await driver.crash();
  expect(await send("t-1")).toEqual(stored);
  expect((await driver.act("desk", "count")).output).toBe(0);
});

test("messages of one connection are in the order in which they were sent, however long each is looked at", async () => {
  const asked: number[] = [];
  const latches = new Map([1, 2, 4].map((n) => [n, new Latch()]));
  const gate = actor({
    queues: {
      slow: queue<number>({
        canPublish: async (_c, n) => {
          asked.push(n);
          await latches.get(n)?.promise;
          if (n === 2) throw new Error("not this one");
          return true;
        },
      }),
      quick: queue<number>({ canPublish: () => true }),
    },
    actions: {
      taken: async (c, name: "slow" | "quick") =>
        (await c.queue.nextBatch({ names: [name], count: 9, timeout: 0 })).map(({ body }) => body),
    },
  });
  await using driver = await Driver.start({ gate });
  const socket = driver.socket("/actor/gate/connect").hello();
  await driver.world.idle();
  for (const n of [1, 2, 3, 4, 5]) socket.send({ kind: "send", id: n, name: "slow", body: n });
  socket.send({ kind: "send", id: 6, name: "quick", body: 6 });
  await driver.world.idle();
  expect(asked).toEqual([1, 2, 3, 4, 5]);
  expect((await driver.act("gate", "taken", "quick")).output).toEqual([6]);
  for (const n of [4, 2]) latches.get(n)?.open();
  await driver.world.idle();
  expect((await driver.act("gate", "taken", "slow")).output).toEqual([]);
  latches.get(1)?.open();
  await driver.world.idle();
  socket.send({ kind: "send", id: 7, name: "slow", body: 7 });
  await driver.world.idle();
  expect((await driver.act("gate", "taken", "slow")).output).toEqual([1, 3, 4, 5, 7]);
});

describe("what is no queue", () => {
  const wrong: readonly (readonly [string, unknown, string])[] = [
    ["not an object", 1, "config.invalid_option"],
    ["an empty name", { "": queue() }, "config.invalid_option"],
    ["a number", { a: 1 }, "config.invalid_option"],
    ["an unknown option", { a: { atempts: 1 } }, "config.unknown_key"],
    ["no attempts", { a: { maxAttempts: 0 } }, "config.invalid_option"],
    ["a guard that is none", { a: { canPublish: true } }, "config.invalid_option"],
    ["a schema that is none", { a: { message: {} } }, "config.invalid_option"],
  ];
  test.each(wrong)("%s", (_, queues, code) => {
    expect(codeOf(thrown(() => actor({ queues: queues as Record<string, never> })))).toBe(code);
  });

  test("messages may not be allowed to be larger than what a page can hold", () => {
    const maxQueueMessageSize = limits.queueMessageBytesLargest + 1;
    expect(codeOf(thrown(() => actor({ options: { maxQueueMessageSize } })))).toBe("config.invalid_option");
  });
});

function thrown(fn: () => unknown): unknown {
  try {
    fn();
  } catch (cause) {
    return cause;
  }
  return undefined;
}
