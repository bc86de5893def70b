/** A plugin's sessions, one after the other: when it is started again, and when no more. */
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { PluginActors } from "../../src/activation/plugin-actors.ts";
import { SupervisedSession } from "../../src/activation/supervised-session.ts";
import type { PluginSession } from "../../src/session/session.ts";
import { openScripted, type ScriptedCarrier } from "../support/scripted-carrier.ts";
import { World, watch } from "../support/world.ts";

const crash = new TroupeError("plugin", "crashed", "it crashed");

/** A supervised plugin whose every process is the test's. */
class Story {
  readonly world = new World();
  readonly carriers: ScriptedCarrier[] = [];
  starts = 0;
  failing = false;

  readonly open = async (): Promise<PluginSession> => {
    this.starts += 1;
    if (this.failing) throw crash;
    const { carrier, session } = await openScripted(this.world);
    this.carriers.push(carrier);
    void session.ended.then(() => carrier.closed());
    return session;
  };

  async supervise(): Promise<SupervisedSession> {
    return new SupervisedSession(await this.open(), { env: this.world, reopen: this.open });
  }

  async crash(): Promise<void> {
    this.carriers.at(-1)?.crash(crash);
    await this.world.pass(0);
  }
}

test("it is started again after a while, twice as long each time, and then no more", async () => {
  const story = new Story();
  const session = await story.supervise();
  for (let crashes = 0; crashes < limits.pluginCrashes; crashes += 1) {
    await story.crash();
    expect([session.state, session.error, session.crashes]).toEqual(["restarting", crash, crashes + 1]);
    const delayMs = limits.pluginRestartMs * 2 ** crashes;
    await story.world.pass(delayMs - 1);
    expect(story.starts).toBe(crashes + 1);
    await story.world.pass(1);
    expect([session.state, story.starts]).toEqual(["active", crashes + 2]);
    expect(session.current.open).toBe(true);
  }
  const ended = ["error The plugin ended", "warn The plugin was started again"];
  expect(story.world.lines).toEqual(Array.from({ length: limits.pluginCrashes }, () => ended).flat());
  await story.crash();
  expect(session.state).toBe("lost");
  expect(story.world.lines.at(-1)).toBe("error The plugin is lost: it isn't started again");
  await story.world.pass(limits.pluginCrashWindowMs);
  expect([session.state, story.starts]).toEqual(["lost", limits.pluginCrashes + 1]);
  await session.close();
  await story.world.pass(0);
  expect(story.world.pendingTimers).toBe(0);
});

test("a start that fails counts as a crash; crashes of long ago don't", async () => {
  const story = new Story();
  const session = await story.supervise();
  await story.crash();
  story.failing = true;
  await story.world.pass(limits.pluginRestartMs);
  expect([session.state, story.starts]).toEqual(["restarting", 2]);
  expect(story.world.lines.at(-1)).toBe("warn The plugin couldn't be started again");
  story.failing = false;
  await story.world.pass(limits.pluginRestartMs * 2);
  expect([session.state, story.starts]).toEqual(["active", 3]);
  await story.world.pass(limits.pluginCrashWindowMs);
  await story.crash();
  await story.world.pass(limits.pluginRestartMs);
  expect([session.state, story.starts]).toEqual(["active", 4]);
  await session.close();
  await story.world.pass(0);
  expect(story.world.pendingTimers).toBe(0);
});

test("one that is closed isn't started again, and leaves no clock running", async () => {
  const story = new Story();
  const session = await story.supervise();
  await story.crash();
  await session.close();
  await story.world.pass(limits.pluginCrashWindowMs);
  expect([story.starts, story.world.pendingTimers]).toEqual([1, 0]);
});

test("one that crashes while it is closed is closed: it isn't started again either", async () => {
  const story = new Story();
  const session = await story.supervise();
  const closing = watch(session.close());
  await story.crash();
  expect([closing.value, session.state, session.crashes]).toEqual([{ clean: true }, "active", 0]);
  await story.world.pass(limits.pluginCrashWindowMs);
  expect([story.starts, story.world.pendingTimers]).toEqual([1, 0]);
});

test("one whose start is under way when it is closed is closed when it is there, whole or not", async () => {
  for (const failing of [false, true]) {
    const story = new Story();
    const started = Promise.withResolvers<void>();
    const first = await story.open();
    const reopen = async (): Promise<PluginSession> => {
      await started.promise;
      return await story.open();
    };
    const session = new SupervisedSession(first, { env: story.world, reopen });
    await story.crash();
    await story.world.pass(limits.pluginRestartMs);
    const closing = watch(session.close());
    await story.world.pass(0);
    expect(closing.state).toBe("pending");
    story.failing = failing;
    started.resolve();
    await expect.poll(() => closing.state).toBe("resolved");
    await story.world.pass(limits.pluginCrashWindowMs);
    expect(closing.value).toEqual({ clean: true });
    expect(story.carriers.map(({ closes }) => closes)).toEqual(failing ? [1] : [1, 1]);
    expect([story.starts, story.world.pendingTimers]).toEqual([2, 0]);
  }
});

test("one that hung when it was ended, and was started again, is waited for at the end", async () => {
  const story = new Story();
  const hung = await openScripted(story.world);
  const session = new SupervisedSession(hung.session, { env: story.world, reopen: story.open });
  hung.carrier.crash(crash);
  await story.world.pass(limits.pluginRestartMs);
  expect(session.state).toBe("active");
  const closing = watch(session.close());
  await story.world.pass(0);
  expect(closing.state).toBe("pending");
  hung.carrier.closed(false);
  await story.world.pass(0);
  expect(closing.value).toEqual({ clean: false });
  expect(story.world.pendingTimers).toBe(0);
});

test("its actors: while it is restarted a call gets what ended it, then they are there; when it is lost, no more", async () => {
  const story = new Story();
  const session = await story.supervise();
  const actors = new PluginActors("frail", session);
  const first = actors.carrier("counter");
  expect(actors.carrier("counter")).toBe(first);
  expect(() => actors.carrier("gauge")).toThrow(expect.objectContaining({ code: "undeclared" }));
  for (let crashes = 0; crashes < limits.pluginCrashes; crashes += 1) {
    await story.crash();
    expect(() => actors.carrier("counter")).toThrow(
      expect.objectContaining({
        group: "plugin",
        code: "restarting",
        statusCode: 503,
        retryable: true,
        message: "Plugin frail is being started again: it crashed",
        metadata: { plugin: "frail", group: "plugin", code: "crashed" },
        cause: crash,
      }),
    );
    await story.world.pass(limits.pluginRestartMostMs);
    const again = actors.carrier("counter");
    expect([first.open, again.open, again === first]).toEqual([false, true, false]);
  }
  await story.crash();
  expect(() => actors.carrier("counter")).toThrow(
    expect.objectContaining({
      code: "lost",
      retryable: false,
      message: "Plugin frail is gone, and isn't started again: it crashed",
    }),
  );
  await session.close();
});
