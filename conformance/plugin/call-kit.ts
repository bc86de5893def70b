/**
 * Tools and models that a plugin's actor calls under its host's relay, in every language that can: the middleware is the host's, and what
 * is called is the plugin's own, as often as middleware says.
 *
 * The actor under test, "caller", counts how often its tool ran, and of its model the chunks, the ends, and the ends that it was told.
 */
import { limits } from "@troupe/protocol";
import type { Relay } from "@troupe/relay";
import { setup, setupTest } from "@troupe/runtime";
import { expect, type TestContext, test } from "vitest";
import { Listener } from "../../packages/runtime/test/relay/listener.ts";
import type { ActorUnderTest } from "./actor-kit.ts";

type Find = () => Promise<ActorUnderTest>;
type Act = (name: string, ...args: unknown[]) => Promise<unknown>;

interface Caller {
  readonly act: Act;
  readonly listener: Listener;
}

/** Registers the kit's stories for one carrier and one language: `find` gives the actor, and `refused` one that may not. */
export function callKit(subject: string, find: Find, refused: Find): void {
  const story = (title: string, found: Find, tell: (caller: Caller) => Promise<void>): void => {
    test(`${subject} actor: ${title}`, { timeout: 290_000 }, async (context) => {
      await tell(await callerOf(found, context));
    });
  };

  story(
    "its tool is refused, given other arguments, run again and answered for by its host's middleware",
    find,
    toolStory,
  );
  story(
    "its model gets the request that middleware left, and whoever gives a call up is told",
    find,
    modelStory,
  );
  story(
    "its model's chunks go by middleware as they are read; a refusal comes before the model",
    find,
    streamStory,
  );
  story("who leaves a stream has the model told; no chunk more is made than was read", find, leftStory);
  story("a stream that is left open ends with its action, and so many may be open", find, openStory);
  story("an intercept opens a stream twice: the one that is left is told", find, twiceStory);
  story("without the capability it may not call, and nothing of its own runs", refused, async ({ act }) => {
    await expect(act("tool", "add", 1)).rejects.toMatchObject({ code: expect.stringMatching(/^not_/) });
    await expect(act("stream", { chunks: 1 }, null)).rejects.toMatchObject({
      code: expect.stringMatching(/^not_/),
    });
    expect(await act("counts")).toEqual({ ran: 0, made: 0, ended: 0, told: 0 });
  });
}

async function callerOf(find: Find, context: TestContext): Promise<Caller> {
  const found = await find();
  if (found.missing !== undefined) return context.skip(found.missing);
  const listener = new Listener();
  const registry = setup({ use: { caller: found.definition }, relay: listener.relay });
  const { client } = await setupTest(context, registry, { clock: "real" });
  const handle = client.caller.getOrCreate(["a"]);
  return { listener, act: (name, ...args) => handle.action({ name, args }) };
}

const rejected = { group: "relay", code: "guardrail_rejected", metadata: { reason: "not here" } };

/** What a host may do to a call of a tool. */
function middleware(relay: Relay): void {
  relay.register({
    kind: "tool_conditional_execution_guardrail",
    name: "no-rm",
    handle: ({ toolName }) => (toolName === "rm" ? "not here" : null),
  });
  relay.register({
    kind: "tool_request_intercept",
    name: "more",
    handle: ({ toolName, args }) => (toolName === "add" ? Number(args) + 1 : args),
  });
  relay.register({
    kind: "tool_execution_intercept",
    name: "again",
    handle: async ({ toolName, args }, { next }) => {
      if (toolName === "cached") return { result: "kept" };
      if (toolName === "twice") await Promise.all([next("one"), next("two")]);
      return await next(toolName === "twice" ? "three" : args);
    },
  });
}

async function toolStory({ act, listener }: Caller): Promise<void> {
  middleware(listener.relay);
  await expect(act("tool", "rm", 1)).rejects.toMatchObject(rejected);
  expect(await act("tool", "cached", 1)).toBe("kept");
  expect(await act("counts")).toMatchObject({ ran: 0 });
  const added = Object(await act("tool", "add", 1));
  const [started, action] = [await listener.start("add"), (await starts(listener, "caller.tool")).at(-1)];
  expect(added).toMatchObject({ given: 2, within: started.uuid, below: action?.uuid });
  expect(started).toMatchObject({
    parent_uuid: action?.uuid,
    data: 2,
    metadata: { a: "b" },
    category_profile: { tool_call_id: "call_1" },
  });
  expect(await act("tool", "nothing", null)).toMatchObject({ given: null });
  expect(await act("tool", "twice", "none")).toMatchObject({ given: "three" });
  expect(await act("counts")).toMatchObject({ ran: 5 });
  await expect(act("fails")).rejects.toMatchObject({
    group: "user",
    code: "dull",
    message: "the tool is dull",
  });
  expect(await listener.end("fails")).toMatchObject({ metadata: { "error.type": "user.dull" } });
  expect(await act("nested")).toBe(1);
  expect((await listener.start("inner")).parent_uuid).toBe((await listener.start("outer")).uuid);
}

async function modelStory({ act, listener }: Caller): Promise<void> {
  listener.relay.register({
    kind: "llm_request_intercept",
    name: "key",
    handle: ({ request }) => ({ request: { ...request, headers: { ...request.headers, "x-key": "k" } } }),
  });
  const request = { headers: { a: "b" }, content: { model: "m", n: 1 } };
  expect(await act("model", request)).toMatchObject({ ...request, headers: { a: "b", "x-key": "k" } });
  expect((await listener.start("openai")).category_profile).toMatchObject({ model_name: "m-1" });
  expect(await act("givenUp")).toEqual(["relay.aborted", "told"]);
  expect(await listener.end("slow")).toMatchObject({ metadata: { "error.type": "relay.aborted" } });
  await expect(act("late")).rejects.toMatchObject({ group: "relay", code: "aborted" });
  expect(await act("counts")).toMatchObject({ ran: 0 });
}

async function streamStory({ act, listener }: Caller): Promise<void> {
  listener.relay.register({
    kind: "llm_stream_execution_intercept",
    name: "marked",
    handle: async function* ({ request }, { next }) {
      for await (const chunk of await next(request)) yield { ...Object(chunk), marked: true };
    },
  });
  listener.relay.register({
    kind: "llm_conditional_execution_guardrail",
    name: "no-secrets",
    handle: ({ request }) => (Object(request.content).secret === true ? "not here" : null),
  });
  const chunks = await act("stream", { chunks: 3 }, null);
  const [model, action] = [await listener.start("openai"), await listener.start("caller.stream")];
  expect(model.parent_uuid).toBe(action.uuid);
  const all = [0, 1, 2].map((one) => ({ one, within: model.uuid, marked: true }));
  expect(chunks).toEqual(all);
  expect(await act("counts")).toMatchObject({ made: 3, ended: 1, told: 0 });
  // Refused before the model is called; what it throws keeps its type.
  await expect(act("stream", { chunks: 1, secret: true }, null)).rejects.toMatchObject(rejected);
  await expect(act("stream", { chunks: 1, fails: true }, null)).rejects.toMatchObject({
    group: "user",
    code: "dull",
    message: "the model is dull",
  });
  await expect(act("noStream")).rejects.toMatchObject({ group: "relay" });
  expect(await act("counts")).toMatchObject({ made: 4, ended: 2, told: 0 });
  const items: unknown[] = [];
  for await (const item of (await act("items", { chunks: 3 })) as AsyncIterable<unknown>) items.push(item);
  expect(items).toMatchObject(all.map(({ one }) => ({ one, marked: true })));
}

async function leftStory({ act, listener }: Caller): Promise<void> {
  expect(await act("stream", { chunks: 1_000 }, 2)).toHaveLength(2);
  expect(await act("counts")).toMatchObject({ made: 2, ended: 1, told: 1 });
  expect(await act("stream", { chunks: 1_000 }, 0)).toEqual([]);
  // A generator that nobody read from has never begun.
  expect(await act("counts")).toMatchObject({ made: 2, ended: 1, told: 1 });
  for await (const item of (await act("items", { chunks: 1_000_000 })) as AsyncIterable<unknown>)
    if (Object(item).one === 3) break;
  await expect.poll(() => act("counts"), { timeout: 60_000 }).toMatchObject({ ended: 2, told: 2 });
  // It isn't taken for the end of what the model had to say.
  expect(await act("streamGivenUp")).toEqual(["relay.aborted", true]);
  await expect.poll(() => act("counts"), { timeout: 60_000 }).toMatchObject({ ended: 3, told: 3 });
  expect(await listener.end("slow")).toMatchObject({ metadata: { "error.type": "relay.aborted" } });
}

async function openStory({ act, listener }: Caller): Promise<void> {
  await act("leave");
  await expect.poll(() => act("counts"), { timeout: 60_000 }).toMatchObject({ made: 1, ended: 1, told: 1 });
  expect(await listener.end("left")).toMatchObject({ metadata: { "error.type": "relay.aborted" } });
  expect(await act("goOn")).toEqual(["relay.aborted", true]);
  const most = limits.actorStreams;
  expect(await act("many", most)).toEqual(["actor.overloaded", most + 1]);
  // Each action's are gone behind it.
  const again = () => act("many", most).catch(() => "not yet");
  await expect.poll(again, { timeout: 60_000 }).toEqual(["actor.overloaded", most + 1]);
}

async function twiceStory({ act, listener }: Caller): Promise<void> {
  listener.relay.register({
    kind: "llm_stream_execution_intercept",
    name: "twice",
    handle: async ({ request }, { next }) => {
      const first = (await next(request))[Symbol.asyncIterator]();
      const second = await next(request);
      await first.next();
      await first.return?.();
      return second;
    },
  });
  expect(await act("stream", { chunks: 3 }, null)).toMatchObject([{ one: 0 }, { one: 1 }, { one: 2 }]);
  expect(await act("counts")).toMatchObject({ made: 4, ended: 2, told: 1 });
}

async function starts(listener: Listener, name: string) {
  await listener.relay.flushSubscribers();
  return listener.events.filter(
    (event) => event.name === name && "scope_category" in event && event.scope_category === "start",
  );
}
