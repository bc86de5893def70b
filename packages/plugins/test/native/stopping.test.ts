/**
 * An actor that is told to stop while a call of it waits for the host, in two languages: the call goes on and ends, and then the
 * actor does. When the host's patience is over, it says so, and the call ends with an error. And what a call that saves waits for.
 */
import { CarriedStopReason } from "@troupe/protocol/actor/v1";
import { describe, expect, type TestContext, test } from "vitest";
import { nativeCarrier } from "../../src/carriers/native/native-carrier.ts";
import { openSession } from "../../src/session/open-session.ts";
import type { PluginSession } from "../../src/session/session.ts";
import { type Built, cPluginAt, keeperInC, rustExample } from "../support/built.ts";
import { nodeSessionEnv } from "../support/node-env.ts";
import { ScriptedKeeper } from "../support/scripted-keeper.ts";

const languages: readonly (readonly [string, () => Promise<Built>])[] = [
  ["C", () => cPluginAt(...keeperInC)],
  ["Rust", () => rustExample("keeper")],
];
const { SLEEP, BROKEN } = CarriedStopReason;

describe.each(languages)("a stop in %s", (_, build) => {
  async function open(context: TestContext): Promise<PluginSession> {
    const built = await build();
    if (built.missing !== undefined) return context.skip(built.missing);
    return openSession({
      env: nodeSessionEnv,
      open: nativeCarrier({ library: built.path }),
      hostVersion: "0",
    });
  }

  test("waits for the call that waits, whose answer comes, and its next question too", {
    timeout: 290_000,
  }, async (context) => {
    const session = await open(context);
    const actor = new ScriptedKeeper(session);
    actor.call(1, "tell", ["other", "word", "hello"]);
    const [put] = await actor.asked(1);
    actor.stop(SLEEP);
    actor.answer(put ?? 0, null);
    const [, get] = await actor.asked(2);
    actor.answer(get ?? 0, "hello");
    await actor.stopped;
    expect(actor.said).toEqual(["started", "reply 1 hello", "stopped"]);
    expect(await session.close()).toEqual({ clean: true });
  });

  test("that is the last ends what waits: when the actor is lost, and when its time is over", {
    timeout: 290_000,
  }, async (context) => {
    const session = await open(context);
    const lost = new ScriptedKeeper(session);
    lost.call(1, "get", ["a"]);
    await lost.asked(1);
    lost.stop(BROKEN);
    await lost.stopped;
    expect(lost.said).toEqual(["started", "reply 1 actor.stopped", "stopped"]);
    const slow = new ScriptedKeeper(session);
    slow.call(1, "get", ["a"]);
    await slow.asked(1);
    slow.stop(SLEEP);
    slow.stop(BROKEN);
    await slow.stopped;
    expect(slow.said).toEqual(["started", "reply 1 actor.stopped", "stopped"]);
    expect(await session.close()).toEqual({ clean: true });
  });

  test("that is the last ends also what asks anew behind it", { timeout: 290_000 }, async (context) => {
    const session = await open(context);
    const actor = new ScriptedKeeper(session);
    actor.call(1, "tell", ["other", "word", "hello"]);
    const [put] = await actor.asked(1);
    // The lane has something to do before it comes to the answer: by then the last stop was said.
    for (let call = 2; call < 2_000; call += 1) actor.call(call, "who", []);
    actor.stop(SLEEP);
    actor.answer(put ?? 0, null);
    actor.stop(BROKEN);
    await actor.stopped;
    expect(actor.said).toContain("reply 1 actor.stopped");
    expect(actor.said.at(-1)).toBe("stopped");
    expect(await session.close()).toEqual({ clean: true });
  });

  test("and a call that saves: it has said what it wrote, and goes on when the host says that it is on disk", {
    timeout: 290_000,
  }, async (context) => {
    const session = await open(context);
    const actor = new ScriptedKeeper(session);
    actor.call(1, "save", ["zero", "0"]);
    const [saved] = await actor.asked(1);
    expect(actor.words.slice(-2)).toEqual(["write", "ask barrier"]);
    actor.answer(saved ?? 0, null);
    actor.stop(SLEEP);
    await actor.stopped;
    expect(actor.said).toEqual(["started", "reply 1 null", "stopped"]);
    // Nobody says so: it hasn't gone on by itself.
    const lost = new ScriptedKeeper(session);
    lost.call(1, "save", ["zero", "0"]);
    await lost.asked(1);
    lost.stop(BROKEN);
    await lost.stopped;
    expect(lost.said).toEqual(["started", "reply 1 actor.stopped", "stopped"]);
    expect(await session.close()).toEqual({ clean: true });
  });
});
