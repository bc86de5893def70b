/**
 * What the example of every SDK does beside its guardrail, which the plugin kit tries: a counter, which is an actor, and an
 * exporter, which writes a line of the host's log for each call that has ended.
 */
import type { Env, Logger } from "@troupe/base";
import { createRelay } from "@troupe/relay/node";
import { carriedActor, setup, setupTest } from "@troupe/runtime";
import { nodeEnv } from "@troupe/runtime/process";
import { expect, type TestContext, test } from "vitest";
import { PluginMiddleware } from "../../packages/plugins/src/activation/plugin-middleware.ts";
import { SupervisedSession } from "../../packages/plugins/src/activation/supervised-session.ts";
import { openSession } from "../../packages/plugins/src/session/open-session.ts";
import type { PluginSession } from "../../packages/plugins/src/session/session.ts";
import type { PluginUnderTest } from "./plugin-kit.ts";

/** Registers the kit's story for one language: a start is dear, and so one of it does it all. */
export function exampleKit(subject: string, find: () => Promise<PluginUnderTest>): void {
  test(`${subject} example: a counter counts and keeps its count; an exporter hears of every call that has ended`, {
    timeout: 290_000,
  }, async (context: TestContext) => {
    const found = await find();
    if ("missing" in found) return context.skip(found.missing);
    const lines: string[] = [];
    const env = { ...nodeEnv({ logLevel: "silent" }), log: keeping(lines) };
    const session = await openSession({ env, open: found.open, hostVersion: "0.0.0" });
    await counterStory(session, context);
    await exporterStory(session, env, lines);
    expect(await session.close()).toEqual({ clean: true });
  });
}

async function counterStory(session: PluginSession, context: TestContext): Promise<void> {
  // The session is closed by the story, not by the registry.
  const counter = carriedActor(async () => {
    const { declaration, encoding, open, connect } = session.actor("counter");
    return { declaration, encoding, open, connect, close: async () => undefined };
  });
  const { client, evict } = await setupTest(context, setup({ use: { counter } }), { clock: "real" });
  const handle = client.counter.getOrCreate(["a"]);
  const act = (name: string, ...args: unknown[]) => handle.action({ name, args });
  const connection = handle.connect();
  const heard: unknown[] = [];
  connection.on("changed", (count: unknown) => void heard.push(count));
  expect(await connection.action({ name: "get", args: [] })).toBe(0);
  expect([await act("increment", 2), await act("increment", -5)]).toEqual([2, -3]);
  await expect.poll(() => heard, { timeout: 60_000 }).toEqual([2, -3]);
  for (const by of ["2", 0.5, null])
    await expect(act("increment", by)).rejects.toMatchObject({ group: "user", code: "not_a_number" });
  await connection.dispose();
  await evict(handle);
  expect(await act("get")).toBe(-3);
  expect(await client.counter.getOrCreate(["b"]).action({ name: "get", args: [] })).toBe(0);
}

async function exporterStory(session: PluginSession, env: Env, lines: readonly string[]): Promise<void> {
  const relay = createRelay();
  const supervised = new SupervisedSession(session, { env, reopen: undefined });
  new PluginMiddleware({ relay, env }, supervised).register("example");
  for (const tool of ["ls", "cat"]) await relay.toolCallExecute(tool, {}, () => ({ result: "done" }));
  await relay.flushSubscribers();
  // The guardrail's own scopes have ended as well.
  const ended = () => lines.filter((line) => !line.includes("/")).sort();
  await expect.poll(ended, { timeout: 60_000 }).toEqual(["ended: cat", "ended: ls"]);
}

function keeping(lines: string[]): Logger {
  const keep = (line: string): void => void (line.startsWith("ended: ") && lines.push(line));
  const log: Logger = { debug: keep, info: keep, warn: keep, error: keep, child: () => log };
  return log;
}
