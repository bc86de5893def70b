/**
 * What every carrier must do, whatever language its plugin is in. Call it in a test file: it registers stories with vitest.
 *
 * The plugin under test is the same small one in each language: a guardrail of tools named "no-rm", which answers null, or
 * "rm isn't allowed here" for the tool "rm", and throws a guardrail's rejection for the tool "mv". Its configuration is an object
 * or nothing.
 */
import { isGuardrailRejected } from "@troupe/relay";
import { createRelay } from "@troupe/relay/node";
import { nodeEnv } from "@troupe/runtime/process";
import { afterAll, describe, expect, type TestContext, test } from "vitest";
import { PluginMiddleware } from "../../packages/plugins/src/activation/plugin-middleware.ts";
import { SupervisedSession } from "../../packages/plugins/src/activation/supervised-session.ts";
import type { CarrierEvents, OpenCarrier } from "../../packages/plugins/src/carrier.ts";
import { openSession } from "../../packages/plugins/src/session/open-session.ts";
import type { PluginSession } from "../../packages/plugins/src/session/session.ts";

/** A carrier with the plugin and the actors that it brings (none, by default), or why it can't be tried here. */
export type PluginUnderTest =
  | { readonly open: OpenCarrier; readonly actors?: readonly string[] }
  | { readonly missing: string };

/** The relay's tool_conditional_execution_guardrail. */
const TOOL_CONDITIONAL = 12;
const REASON = "rm isn't allowed here";

type Story = (title: string, run: (open: OpenCarrier) => Promise<void>) => void;
type CallStory = (
  title: string,
  run: (session: PluginSession, actors: readonly string[]) => Promise<void>,
) => void;

/** Registers the kit's stories for one carrier and one language. Those about calls share one session: a start is dear. */
export function pluginKit(subject: string, find: () => Promise<PluginUnderTest>): void {
  describe(`${subject} plugin:`, () => {
    const story: Story = (title, run) =>
      test(title, { timeout: 290_000 }, async (context: TestContext) => {
        const found = await find();
        if ("missing" in found) return context.skip(found.missing);
        await run(found.open);
      });
    let shared: Promise<PluginSession> | undefined;
    afterAll(async () => void (await (await shared)?.close()));
    openingStories(story);
    callStories((title, run) =>
      test(title, { timeout: 290_000 }, async (context: TestContext) => {
        const found = await find();
        if ("missing" in found) return context.skip(found.missing);
        shared ??= open(found.open, `{ "any": 1 }`);
        await run(await shared, found.actors ?? []);
      }),
    );
    endingStories(story);
  });
}

/** Registers the story of its rejections, for a suite that says which promise it proves. */
export function rejectionKit(subject: string, find: () => Promise<PluginUnderTest>): void {
  test(`${subject} plugin: thrown or answered, with its reason; the next call is asked again`, {
    timeout: 290_000,
  }, async (context: TestContext) => {
    const found = await find();
    if ("missing" in found) return context.skip(found.missing);
    const session = await open(found.open);
    const relay = createRelay();
    const env = nodeEnv({ logLevel: "error" });
    const supervised = new SupervisedSession(session, { env, reopen: undefined });
    new PluginMiddleware({ relay, env }, supervised).register("kit");
    const call = (tool: string) => relay.toolCallExecute(tool, {}, () => ({ result: "done" }));
    for (const [tool, reason] of [
      ["mv", "mv isn't allowed here"],
      ["rm", REASON],
    ] as const) {
      const rejected = await call(tool).catch((error: unknown) => error);
      expect(isGuardrailRejected(rejected), tool).toBe(true);
      expect(rejected).toMatchObject({ group: "relay", metadata: { by: "kit/no-rm", reason } });
    }
    expect(await call("ls")).toMatchObject({ result: "done" });
    // It may hear of them, too.
    await relay.flushSubscribers();
    await session.close();
  });
}

async function open(carrier: OpenCarrier, config?: string): Promise<PluginSession> {
  return await openSession({
    env: nodeEnv({ logLevel: "error" }),
    open: carrier,
    hostVersion: "0.0.0",
    ...(config !== undefined && { config: new TextEncoder().encode(config) }),
  });
}

function ask(session: PluginSession, toolName: string, timeoutMs = 10_000): Promise<unknown> {
  const payload = { toolName, args: { path: "/", flags: ["-r", "-f"] } };
  return session.invoke({ kind: TOOL_CONDITIONAL, name: "no-rm", payload, options: { timeoutMs } });
}

function openingStories(story: Story): void {
  story("a configuration that it doesn't want is its own error", async (carrier) => {
    await expect(open(carrier, "[]")).rejects.toMatchObject({
      code: "refused",
      message: expect.stringContaining("must be a JSON object"),
    });
  });

  story("of a version that it doesn't speak it says Failed, and not Ready", async (carrier) => {
    const said = Promise.withResolvers<string>();
    const events: CarrierEvents = {
      frame: ({ body }) => {
        if (body?.$case !== "log") said.resolve(body?.$case ?? "nothing");
      },
      ended: () => said.resolve("its end"),
    };
    const opened = await carrier(events);
    const hello = { versions: [77], hostVersion: "9.0.0", config: new Uint8Array(0) };
    opened.send({ body: { $case: "hello", value: hello } });
    expect(await said.promise).toBe("failed");
    await opened.close(5_000);
  });
}

function callStories(story: CallStory): void {
  story(
    "Hello, with a configuration, is answered by Ready, which says what it contributes",
    async (session, actors) => {
      expect(session.declared.version).toBe(1);
      expect(session.declared.middleware[0]).toMatchObject({ kind: TOOL_CONDITIONAL, name: "no-rm" });
      expect([...session.declared.actors.keys()]).toEqual(actors);
    },
  );

  story("it answers nothing, or a reason", async (session) => {
    expect(await ask(session, "ls")).toBeNull();
    expect(await ask(session, "rm")).toBe(REASON);
  });

  story("a thousand calls at once have an answer each, and each its own", async (session) => {
    const tools = Array.from({ length: 1_000 }, (_, index) => (index % 3 === 0 ? "rm" : `tool-${index}`));
    const answers = await Promise.all(tools.map((tool) => ask(session, tool, 60_000)));
    expect(answers).toEqual(tools.map((tool) => (tool === "rm" ? REASON : null)));
  });

  story("a payload of half a megabyte comes through whole", async (session) => {
    const payload = { toolName: "rm", args: { text: "é".repeat(250_000) } };
    const call = { kind: TOOL_CONDITIONAL, name: "no-rm", payload, options: { timeoutMs: 20_000 } };
    expect(await session.invoke(call)).toBe(REASON);
  });

  story("S1.4 (in part) what it didn't declare it isn't asked", async (session) => {
    const other = { kind: TOOL_CONDITIONAL, name: "other", payload: {} };
    await expect(session.invoke(other)).rejects.toMatchObject({ code: "undeclared" });
    await expect(session.invoke({ ...other, kind: 13, name: "no-rm" })).rejects.toMatchObject({
      code: "undeclared",
    });
  });

  story("a call that was cancelled has no answer, and the next one has", async (session) => {
    const abort = new AbortController();
    const payload = { toolName: "rm", args: {} };
    const options = { signal: abort.signal };
    const call = session.invoke({ kind: TOOL_CONDITIONAL, name: "no-rm", payload, options });
    abort.abort("not any more");
    await expect(call).rejects.toMatchObject({ code: "call_aborted" });
    expect(await ask(session, "rm")).toBe(REASON);
  });
}

function endingStories(story: Story): void {
  story("a ping has its pong", async (carrier) => {
    const pong = Promise.withResolvers<number>();
    const opened = await carrier({
      frame: ({ body }) => {
        if (body?.$case === "pong") pong.resolve(body.value.number);
      },
      ended: () => pong.reject(new Error("it ended")),
    });
    const hello = { versions: [1], hostVersion: "0.0.0", config: new Uint8Array(0) };
    opened.send({ body: { $case: "hello", value: hello } });
    opened.send({ body: { $case: "ping", value: { number: 4_711 } } });
    expect(await pong.promise).toBe(4_711);
    pong.promise.catch(() => undefined);
    await opened.close(5_000);
  });

  story(
    "a call that runs when it is closed is rejected; a later one too; closing again is the same",
    async (carrier) => {
      const session = await open(carrier);
      const call = ask(session, "ls").catch((error) => error.code);
      const closing = session.close();
      expect(session.open).toBe(false);
      expect([null, "closed"]).toContain(await call);
      await expect(ask(session, "ls")).rejects.toMatchObject({ code: "closed" });
      expect(await session.close()).toEqual(await closing);
      expect(await session.ended).toBeUndefined();
    },
  );

  story("two of it at once are two: the end of one isn't the other's", async (carrier) => {
    const [one, other] = await Promise.all([open(carrier), open(carrier)]);
    expect(await Promise.all([ask(one, "rm"), ask(other, "rm")])).toEqual([REASON, REASON]);
    await one.close();
    expect(await ask(other, "rm")).toBe(REASON);
    await other.close();
  });

  story("opened and closed again, it starts each time", async (carrier) => {
    for (let round = 0; round < 2; round += 1) {
      const session = await open(carrier);
      expect(await ask(session, "rm")).toBe(REASON);
      expect(await session.close()).toEqual({ clean: true });
    }
  });
}
