/** A plugin's sessions, one after the other: when it is started again, and when no more. */
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { SupervisedSession } from "../../src/activation/supervised-session.ts";
import type { PluginSession } from "../../src/session/session.ts";
import { openScripted, type ScriptedCarrier } from "../support/scripted-carrier.ts";
import { World } from "../support/world.ts";

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
    expect([session.state, session.error]).toEqual(["restarting", crash]);
    const delayMs = limits.pluginRestartMs * 2 ** crashes;
    await story.world.pass(delayMs - 1);
    expect(story.starts).toBe(crashes + 1);
    await story.world.pass(1);
    expect([session.state, story.starts]).toEqual(["active", crashes + 2]);
    expect(session.current.open).toBe(true);
  }
  await story.crash();
  expect(session.state).toBe("lost");
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
