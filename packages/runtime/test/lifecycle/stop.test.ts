/** The way out of a life: sleep, destroy, grace, and what comes meanwhile. */
import { actor, queue } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { codeOf, Latch, watch } from "../driver/watch.ts";

test("sleep: abort fires, run drains, actions in flight are awaited, onSleep, commit, release", async () => {
  const steps: string[] = [];
  const runEnds = new Latch();
  const actionEnds = new Latch();
  const sleeper = actor({
    state: { last: "" },
    run: async (c) => {
      c.abortSignal.addEventListener("abort", () => steps.push(`abort ${c.aborted}`));
      await runEnds.promise;
      steps.push("run drained");
    },
    onSleep: (c) => {
      steps.push("onSleep");
      c.state.last = "written in onSleep";
    },
    actions: {
      slow: async () => {
        await actionEnds.promise;
        steps.push("action done");
        return "answer";
      },
      sleep: (c) => c.sleep(),
      last: (c) => c.state.last,
    },
  });
  await using driver = await Driver.start({ sleeper });
  const slow = watch(driver.act("sleeper", "slow"));
  await driver.world.idle();
  await driver.act("sleeper", "sleep");
  await driver.world.idle();
  expect(steps).toEqual(["abort true"]);
  // Held for the next activation, not dropped and not refused.
  const held = watch(driver.act("sleeper", "last"));
  actionEnds.open();
  await driver.world.idle();
  expect(steps).toEqual(["abort true", "action done"]);
  expect(slow.value?.output).toBe("answer");
  driver.syncs.hold();
  runEnds.open();
  await driver.world.idle();
  expect(steps).toEqual(["abort true", "action done", "run drained", "onSleep"]);
  // The release waits for the last batch.
  expect([driver.syncs.waiting, held.state, driver.runtime.host.size]).toEqual([1, "pending", 1]);
  driver.syncs.letGo();
  await driver.world.idle();
  expect(held.value?.output).toBe("written in onSleep");
});

test("the grace period: what isn't done by then is left behind, and its writes throw actor.stopped", async () => {
  const late = new Latch();
  const caught: string[] = [];
  const stubborn = actor({
    state: { n: 0 },
    options: { sleepGracePeriod: 2_000 },
    actions: {
      hang: async (c) => {
        await late.promise;
        const attempts = [
          () => (c.state.n = 1),
          () => c.broadcast("x"),
          () => c.saveState(),
          () => c.schedule.after(1, "n"),
          () => c.sleep(),
          () => c.destroy(),
          () => (c.vars = undefined),
          () => c.conn.send("x"),
        ];
        for (const attempt of attempts) {
          try {
            await attempt();
            caught.push("nothing");
          } catch (error) {
            caught.push(codeOf(error));
          }
        }
      },
      n: (c) => c.state.n,
    },
  });
  await using driver = await Driver.start({ stubborn });
  const hang = watch(driver.act("stubborn", "hang"));
  await driver.world.idle();
  const { actorId = "" } = await driver.http("POST", "/actor/stubborn/resolve");
  const slept = watch(driver.runtime.host.sleep(actorId));
  await driver.world.pass(1_999);
  expect(slept.state).toBe("pending");
  await driver.world.pass(1);
  expect(slept.state).toBe("resolved");
  expect(driver.world.logged("warn", "grace period")).toHaveLength(1);
  expect((await driver.act("stubborn", "n")).output).toBe(0);
  late.open();
  await driver.world.idle();
  expect(new Set(caught)).toEqual(new Set(["actor.stopped"]));
  expect(caught).toHaveLength(8);
  expect(hang.state).toBe("resolved");
  expect((await driver.act("stubborn", "n")).output).toBe(0);
});

test("a run that takes the whole grace period doesn't take onSleep's writes with it", async () => {
  const greedy = actor({
    state: { slept: 0 },
    options: { sleepGracePeriod: 1_000 },
    run: () => new Promise<void>(() => {}),
    onSleep: (c) => {
      c.state.slept += 1;
    },
    actions: { slept: (c) => c.state.slept },
  });
  await using driver = await Driver.start({ greedy });
  const { actorId = "" } = await driver.http("POST", "/actor/greedy/resolve");
  const slept = watch(driver.runtime.host.sleep(actorId));
  await driver.world.pass(1_000);
  expect(slept.state).toBe("resolved");
  expect((await driver.act("greedy", "slept")).output).toBe(1);
});

test("onSleep, onDestroy and run that throw are logged and stop nothing", async () => {
  const broken = actor({
    run: () => {
      throw new Error("run");
    },
    onSleep: () => {
      throw new Error("sleep");
    },
    onDestroy: async () => {
      throw new Error("destroy");
    },
    actions: { ping: () => 1 },
  });
  await using driver = await Driver.start({ broken });
  const { actorId = "" } = await driver.http("POST", "/actor/broken/resolve");
  await driver.runtime.host.sleep(actorId);
  await driver.runtime.host.destroy(actorId);
  const messages = driver.world.lines.filter((line) => line.level === "error").map((line) => line.message);
  expect(messages).toEqual(["run failed", "onSleep failed", "run failed", "onDestroy failed"]);
  expect(driver.runtime.host.size).toBe(0);
});

test("the end for good ends the wait of run for its queue, which is nobody's failure; what else it throws is", async () => {
  const mortal = actor({
    queues: { jobs: queue() },
    createVars: () => ({ fails: false }),
    run: async (c) => {
      try {
        await c.queue.next({ names: ["jobs"] });
      } catch (cause) {
        throw c.vars.fails ? new Error("at its end") : cause;
      }
    },
    actions: {
      end: (c, fails: boolean) => {
        c.vars.fails = fails;
        c.destroy();
      },
    },
  });
  await using driver = await Driver.start({ mortal });
  for (const fails of [false, true]) {
    await driver.act("mortal", "end", fails);
    await driver.world.idle();
  }
  const failed = driver.world.lines.filter(({ level }) => level === "error");
  expect(failed.map(({ message, fields }) => [message, String(fields?.cause)])).toEqual([
    ["run failed", "Error: at its end"],
  ]);
});

test("onStateChange isn't told of a write behind the end, which is refused", async () => {
  const steps: string[] = [];
  const late = new Latch();
  const sleeper = actor({
    state: { n: 0 },
    onStateChange: (_c, { n }) => void steps.push(`onStateChange ${n}`),
    onSleep: () => void steps.push("onSleep"),
    actions: {
      writeLater: (c) => {
        void late.promise.then(() => {
          try {
            c.state.n = 1;
          } catch (error) {
            steps.push(codeOf(error));
          }
        });
      },
    },
  });
  await using driver = await Driver.start({ sleeper });
  await driver.act("sleeper", "writeLater");
  const { actorId = "" } = await driver.http("POST", "/actor/sleeper/resolve");
  await driver.runtime.host.sleep(actorId);
  late.open();
  await driver.world.idle();
  expect(steps).toEqual(["onSleep", "actor.stopped"]);
});

test("destroy: onDestroy runs, the rows go, the id is unknown and the key is free", async () => {
  const steps: string[] = [];
  const mortal = actor({
    state: { n: 0 },
    onDestroy: (c) => void steps.push(`onDestroy ${c.state.n}`),
    onSleep: () => void steps.push("onSleep"),
    actions: {
      die: (c) => {
        c.state.n = 7;
        c.destroy();
        return "dying";
      },
      n: (c) => c.state.n,
    },
  });
  await using driver = await Driver.start({ mortal });
  const { actorId = "" } = await driver.http("POST", "/actor/mortal/resolve?key=k");
  expect((await driver.act("mortal?key=k", "die")).output).toBe("dying");
  // Right behind it: held until the old one is gone, and then a new one.
  expect((await driver.act("mortal?key=k", "n")).output).toBe(0);
  expect(steps).toEqual(["onDestroy 7"]);
  expect((await driver.http("POST", `/actor-id/${actorId}/action/n`)).code).toBe("actor.not_found");
  expect((await driver.http("POST", "/actor/mortal/resolve?key=k&method=get")).actorId).not.toBe(actorId);
  expect(driver.disk.rows(actorId)).toEqual([]);
  await driver.crash();
  expect((await driver.http("POST", `/actor-id/${actorId}/action/n`)).code).toBe("actor.not_found");
});

test("destroy is not forgotten when the actor goes to sleep already", async () => {
  const steps: string[] = [];
  const mortal = actor({
    state: { n: 0 },
    onSleep: (c) => {
      steps.push("onSleep");
      c.destroy();
    },
    onDestroy: () => void steps.push("onDestroy"),
    actions: {
      both: (c) => {
        c.sleep();
        c.destroy();
      },
    },
  });
  await using driver = await Driver.start({ mortal });
  const { actorId = "" } = await driver.http("POST", "/actor/mortal/resolve");
  await driver.act("mortal", "both");
  await driver.world.idle();
  expect(steps).toEqual(["onSleep", "onDestroy"]);
  expect((await driver.http("POST", `/actor-id/${actorId}/action/both`)).code).toBe("actor.not_found");
});

test("sleepTimeout: an idle actor sleeps, one that is called starts anew to wait", async () => {
  const napper = actor({ state: { n: 0 }, actions: { ping: () => 1 }, options: { sleepTimeout: 10_000 } });
  await using driver = await Driver.start({ napper });
  await driver.act("napper", "ping");
  await driver.world.pass(9_000);
  await driver.act("napper", "ping");
  await driver.world.pass(9_999);
  expect(driver.runtime.host.size).toBe(1);
  await driver.world.pass(1);
  expect(driver.runtime.host.size).toBe(0);
});

test("noSleep, connections that don't hibernate, run, keepAwake and actions in flight keep it awake, and say so; waitUntil doesn't", async () => {
  const work = new Latch();
  const busy = actor({
    options: { sleepTimeout: 1_000 },
    // What can't be stored keeps its connection from hibernating.
    createConnState: () => () => {},
    actions: {
      keep: (c) => void c.keepAwake(work.promise),
      wait: (c) => c.waitUntil(work.promise),
      hang: async () => await work.promise,
      reasons: (c) => c.awakeReasons,
    },
  });
  const always = actor({
    options: { sleepTimeout: 1_000, noSleep: true },
    actions: { reasons: (c) => c.awakeReasons },
  });
  const running = actor({
    options: { sleepTimeout: 1_000 },
    run: async () => await work.promise,
    actions: { reasons: (c) => c.awakeReasons },
  });
  await using driver = await Driver.start({ busy, always, running });
  const socket = driver.socket("/actor/busy/connect?key=socket").hello();
  await driver.act("busy?key=keep", "keep");
  await driver.act("busy?key=wait", "wait");
  void driver.act("busy?key=hang", "hang");
  expect((await driver.act("always", "reasons")).output).toEqual(["an action in flight", "option noSleep"]);
  expect((await driver.act("running", "reasons")).output).toEqual(["an action in flight", "run is active"]);
  expect((await driver.act("busy?key=keep", "reasons")).output).toEqual([
    "an action in flight",
    "a keepAwake promise",
  ]);
  expect((await driver.act("busy?key=socket", "reasons")).output).toEqual([
    "an action in flight",
    "a connection",
  ]);
  // Only the one with waitUntil may sleep, and its stop waits for the promise.
  await driver.world.pass(1_000);
  expect(driver.runtime.host.size).toBe(6);
  work.open();
  await driver.world.idle();
  expect(driver.runtime.host.size).toBe(5);
  await driver.world.pass(1_000);
  expect(driver.runtime.host.size).toBe(2);
  socket.close();
  await driver.world.pass(1_000);
  expect(driver.runtime.host.size).toBe(1);
});

test("a stop of the host saves everything, and refuses what comes later as retryable", async () => {
  const ends = new Latch();
  const saver = actor({
    state: { n: 0 },
    onSleep: (c) => {
      c.state.n += 100;
    },
    actions: {
      slow: async (c) => {
        await ends.promise;
        c.state.n += 1;
        return c.state.n;
      },
      n: (c) => c.state.n,
    },
  });
  await using driver = await Driver.start({ saver });
  const socket = driver.socket("/actor/saver/connect").hello();
  const slow = watch(driver.act("saver", "slow"));
  await driver.world.idle();
  const stopped = watch(driver.runtime.stop());
  await driver.world.idle();
  const late = await driver.act("saver", "n");
  expect(late).toMatchObject({ status: 503, code: "actor.stopping", error: { retryable: true } });
  const lateSocket = driver.socket("/actor/saver/connect").hello();
  await driver.world.idle();
  expect(lateSocket.story).toEqual(["refusal actor.stopping"]);
  expect((await driver.http("GET", "/readyz")).status).toBe(503);
  expect((await driver.http("GET", "/livez")).status).toBe(200);
  expect(stopped.state).toBe("pending");
  ends.open();
  await driver.world.idle();
  expect([slow.value?.output, stopped.state]).toEqual([1, "resolved"]);
  expect(socket.closed).toEqual({ code: 1012, reason: "actor.restarting" });
  await driver.restart();
  expect((await driver.act("saver", "n")).output).toBe(101);
});
