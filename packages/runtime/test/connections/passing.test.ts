/** What passes refuses nobody for good: a client that met a failed write or a stop comes back by itself. */
import { UserError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { actor, event } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { Latch, watch } from "../driver/watch.ts";

/** What the connect hook waits for. */
let hold: Latch | undefined;

/** Counts its connections, and can be made to write in its start, and to wait in a connect hook. */
function door(how: { readonly start?: "writes" } = {}) {
  return actor({
    state: { starts: 0, guests: 0 },
    onWake: async (c) => {
      if (how.start === undefined) return;
      c.state.starts += 1;
      await c.saveState({ immediate: true });
    },
    onBeforeConnect: async (c) => {
      if (hold === undefined) return;
      await new Promise((resolve, reject) => {
        c.abortSignal.addEventListener("abort", () => reject(c.abortSignal.reason));
        void hold?.promise.then(resolve);
      });
    },
    onConnect: (c) => {
      c.state.guests += 1;
    },
    actions: { guests: (c) => c.state.guests },
  });
}

test("a welcome behind a failed write is not a refusal: the socket closes with 1011, and the client comes again", async () => {
  await using driver = await Driver.start({ door: door() });
  await driver.http("POST", "/actor/door/resolve");
  driver.syncs.failWrites(1);
  const socket = driver.socket("/actor/door/connect").hello();
  await driver.world.idle();
  expect(socket.story).toEqual([]);
  expect(socket.closed).toEqual({ code: 1011, reason: "storage.commit_failed" });
  driver.syncs.failWrites(1);
  const conn = driver.client().door.getOrCreate().connect();
  const ready = watch(conn.ready);
  await driver.world.idle();
  expect([ready.state, conn.connStatus]).toEqual(["pending", "disconnected"]);
  await driver.world.pass(5_000);
  expect(ready.state).toBe("resolved");
  expect(await conn.guests()).toBe(1);
});

test("a start that could not store what it wrote refuses for now only", async () => {
  await using driver = await Driver.start({ door: door({ start: "writes" }) });
  driver.syncs.failWrites(1);
  const socket = driver.socket("/actor/door/connect").hello();
  await driver.world.idle();
  expect(socket.story).toEqual(["refusal actor.restarting"]);
  expect(socket.frames[0]).toMatchObject({ error: { retryable: true } });
  expect(socket.closed?.code).toBe(1013);
  driver.syncs.failWrites(1);
  const conn = driver.client().door.getOrCreate().connect();
  const ready = watch(conn.ready);
  await driver.world.idle();
  expect([ready.state, conn.connStatus]).toEqual(["pending", "disconnected"]);
  await driver.world.pass(5_000);
  expect(ready.state).toBe("resolved");
});

test("a connect hook that a stop cuts short refuses for now only, whatever it throws", async () => {
  await using driver = await Driver.start({ door: door() });
  const { actorId = "" } = await driver.http("POST", "/actor/door/resolve");
  hold = new Latch();
  const socket = driver.socket("/actor/door/connect").hello();
  const conn = driver.client().door.getOrCreate().connect();
  const ready = watch(conn.ready);
  await driver.world.idle();
  const slept = watch(driver.runtime.host.sleep(actorId));
  hold = undefined;
  await driver.world.idle();
  expect(slept.state).toBe("resolved");
  expect(socket.story).toEqual(["refusal actor.stopping"]);
  expect(socket.frames[0]).toMatchObject({ error: { retryable: true } });
  expect([ready.state, conn.connStatus, socket.closed?.code]).toEqual(["pending", "disconnected", 1013]);
  await driver.world.pass(5_000);
  expect(ready.state).toBe("resolved");
});

test("a connect hook's refusal whose own writes were lost refuses for now only: what it said was never so", async () => {
  const strict = actor({
    state: { tries: 0 },
    onConnect: (c) => {
      c.state.tries += 1;
      throw new UserError(`that was try ${c.state.tries}`, { code: "tries" });
    },
    actions: { tries: (c) => c.state.tries },
  });
  await using driver = await Driver.start({ strict });
  await driver.http("POST", "/actor/strict/resolve");
  driver.syncs.failWrites(1);
  const first = driver.socket("/actor/strict/connect").hello();
  await driver.world.idle();
  expect(first.story).toEqual(["refusal actor.stopping"]);
  expect(first.closed?.code).toBe(1013);
  const second = driver.socket("/actor/strict/connect").hello();
  await driver.world.idle();
  expect(second.story).toEqual(["refusal user.tries"]);
  expect(second.frames[0]).toMatchObject({ error: { message: "that was try 1" } });
});

test("a welcome that finds the gate full closes its socket with 1011", async () => {
  const full = actor({
    state: { n: 0 },
    events: { tick: event<number>() },
    actions: {
      fill: (c) => {
        c.state.n += 1;
        for (let n = 0; n < limits.gateOutputs; n += 1) c.broadcast("tick", n);
      },
    },
  });
  await using driver = await Driver.start({ full });
  driver.socket("/actor/full/connect").hello().subscribe(1, "tick");
  await driver.world.idle();
  driver.syncs.hold();
  void driver.act("full", "fill");
  await driver.world.idle();
  const late = driver.socket("/actor/full/connect").hello();
  await driver.world.idle();
  expect([late.story, late.closed]).toEqual([[], { code: 1011, reason: "gate.full" }]);
});
