/** `onBeforeConnect` stands at every way into an actor, and lets in whoever it lets in. */
import { UserError } from "@troupe/base";
import { actor, queue } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { codeOf } from "../driver/watch.ts";

const vault = actor({
  state: { asked: 0, done: 0 },
  queues: { jobs: queue<string>() },
  onBeforeConnect: (c, params: string) => {
    c.state.asked += 1;
    if (params !== "key") throw new UserError("The door is shut", { code: "shut" });
  },
  onRequest: (c) => {
    c.state.done += 1;
    return new Response("in");
  },
  onWebSocket: (c, socket) => {
    c.state.done += 1;
    socket.send("in");
  },
  actions: {
    act: (c) => {
      c.state.done += 1;
    },
    look: (c) => c.snapshot(),
  },
});

const other = actor({
  actions: {
    act: (c, params: string) => c.client().getOrCreate("vault", [], { params }).action({ name: "act" }),
    fetch: async (c, params: string) => {
      const answer = await c.client().getOrCreate("vault", [], { params }).fetch("/");
      if (!answer.ok) throw new UserError("refused", (await answer.json()).error);
    },
  },
});

type Ways = Driver<{ vault: typeof vault; other: typeof other }>;

/** Comes in with `params`; throws what refused it. */
const ways: Readonly<Record<string, (driver: Ways, params: string) => Promise<unknown>>> = {
  "an action over HTTP": (driver, params) => handle(driver, params).action({ name: "act" }),
  "a message over HTTP": (driver, params) => handle(driver, params).send("jobs", "one"),
  "a connection": (driver, params) => handle(driver, params).connect().action({ name: "act" }),
  "a raw request": async (driver, params) => {
    const answer = await handle(driver, params).fetch("/");
    if (!answer.ok) throw (await answer.json()).error;
  },
  "a raw WebSocket": async (driver, params) => {
    const socket = await handle(driver, params).webSocket();
    let reason: string | undefined;
    socket.addEventListener("close", (event) => {
      reason = event.reason;
    });
    await driver.world.idle();
    if (reason === undefined) return;
    const [group, code] = reason.split(".");
    throw Object.assign(new Error("closed"), { group, code });
  },
  "the registry's own client": (driver, params) =>
    driver.local().getOrCreate("vault", [], { params }).action({ name: "act" }),
  "another actor's call": (driver, params) =>
    driver
      .client()
      .getOrCreate("other")
      .action({ name: "act", args: [params] }),
  "another actor's request": (driver, params) =>
    driver
      .client()
      .getOrCreate("other")
      .action({ name: "fetch", args: [params] }),
};

function handle(driver: Ways, params: string) {
  return driver.client().getOrCreate("vault", [], { params });
}

/** Code elsewhere calls others, and sends them no requests of their own. */
const here = Object.entries(ways).filter(
  ([way]) => process.env["TROUPE_TEST_CARRIED"] !== "1" || way !== "another actor's request",
);

test.each(here)("%s is asked at the door", async (_way, comeIn) => {
  await using driver = await Driver.start({ vault, other });
  const refusal = await comeIn(driver, "wrong").then(
    () => "let in",
    (error: unknown) => codeOf(error),
  );
  expect(refusal).toBe("user.shut");
  const before = await handle(driver, "key").action({ name: "look" });
  expect(before).toMatchObject({ done: 0 });
  await comeIn(driver, "key");
  await driver.world.idle();
  const after = (await handle(driver, "key").action({ name: "look" })) as { asked: number };
  // One for each look, and one for the way itself.
  expect(after.asked).toBe((before as { asked: number }).asked + 2);
});
