/**
 * What every carrier must do for middleware that goes around a call, in every language that has it: `next`, and streams.
 *
 * The plugin under test has two: "twice", a tool's, which answers `{ result: "not run" }` for the tool "none", gives the first
 * result to `next` again for the tool "twice", and else what `next` gave; and "louder", a model's stream, which adds "!" to each
 * chunk and "the end" behind the last.
 */
import { TroupeError } from "@troupe/base";
import { nodeEnv } from "@troupe/runtime/process";
import { expect, type TestContext, test } from "vitest";
import type { OpenCarrier } from "../../packages/plugins/src/carrier.ts";
import { openSession } from "../../packages/plugins/src/session/open-session.ts";
import type { PluginSession } from "../../packages/plugins/src/session/session.ts";
import { expectSame, received, samples } from "../../packages/protocol/test/samples.ts";
import type { PluginUnderTest } from "./plugin-kit.ts";

const TOOL = 14;
const STREAM = 25;

interface Crossed {
  readonly result: readonly unknown[];
}

type Rest = (input: unknown) => Promise<unknown>;

/** Registers the kit's stories for one carrier and one language. One session serves them all: they are about its calls. */
export function aroundKit(subject: string, find: () => Promise<PluginUnderTest>): void {
  test(`${subject} plugin: goes around calls with next and streams`, {
    timeout: 290_000,
  }, async (context: TestContext) => {
    const found = await find();
    if ("missing" in found) return context.skip(found.missing);
    const session = await opened(found.open);
    await nextStories(session);
    await streamStories(session);
    await session.close();
    const late = await opened(found.open);
    await lostStory(late);
  });
}

async function opened(open: OpenCarrier): Promise<PluginSession> {
  return await openSession({ env: nodeEnv({ logLevel: "error" }), open, hostVersion: "0.0.0" });
}

function tool(session: PluginSession, toolName: string, next: Rest, signal?: AbortSignal): Promise<unknown> {
  const payload = { toolName, args: [1], toolCallId: null };
  const options = { timeoutMs: Infinity, around: { next, stream: false }, ...(signal && { signal }) };
  return session.invoke({ kind: TOOL, name: "twice", payload, options });
}

async function stream(session: PluginSession, next: Rest): Promise<AsyncIterator<unknown>> {
  const payload = { name: "model", request: { headers: {}, content: "hello" } };
  const options = { timeoutMs: Infinity, around: { next, stream: true } };
  const chunks = await session.invoke({ kind: STREAM, name: "louder", payload, options });
  return (chunks as AsyncIterable<unknown>)[Symbol.asyncIterator]();
}

async function nextStories(session: PluginSession): Promise<void> {
  const asked: unknown[] = [];
  const rest: Rest = async (input) => {
    asked.push(input);
    return { result: [...(input as number[]), asked.length] };
  };
  expect(await tool(session, "once", rest)).toEqual({ result: [1, 1] });
  expect(await tool(session, "twice", rest)).toEqual({ result: [1, 2, 3] });
  expect(await tool(session, "none", rest)).toEqual({ result: "not run" });
  expect(asked).toEqual([[1], [1], [1, 2]]);
  // What the rest throws keeps its type through the plugin and back.
  const refused = new TroupeError("user", "no_disk", "There is no disk", { metadata: { disk: 3 } });
  await expect(tool(session, "once", () => Promise.reject(refused))).rejects.toMatchObject({
    group: "user",
    code: "no_disk",
    message: "There is no disk",
    metadata: { disk: 3 },
  });
  // Whatever crosses crosses both ways, in the language's own types.
  const crossing = [...samples.keys()];
  const whole = (await tool(session, "once", async () => ({ result: [...samples.values()] }))) as Crossed;
  for (const [at, name] of crossing.entries())
    expectSame(whole.result[at], received.has(name) ? received.get(name) : samples.get(name));
  const many = Array.from({ length: 100 }, () => tool(session, "twice", async () => ({ result: 7 })));
  expect(new Set((await Promise.all(many)).map((answer) => JSON.stringify(answer)))).toEqual(
    new Set(['{"result":7}']),
  );
  const abort = new AbortController();
  const waiting = Promise.withResolvers<void>();
  const call = tool(
    session,
    "once",
    async () => {
      waiting.resolve();
      return await new Promise(() => {});
    },
    abort.signal,
  );
  await waiting.promise;
  abort.abort("not any more");
  await expect(call).rejects.toMatchObject({ code: "call_aborted" });
}

async function streamStories(session: PluginSession): Promise<void> {
  let made = 0;
  let ended = 0;
  async function* provider(): AsyncIterable<unknown> {
    try {
      for (made = 1; made <= 3; made += 1) yield `chunk ${made}`;
    } finally {
      ended += 1;
    }
  }
  const whole = await stream(session, async () => provider());
  const heard: unknown[] = [];
  for (let at = await whole.next(); at.done !== true; at = await whole.next()) {
    heard.push(at.value);
    // A chunk is made when it is asked for, and not before.
    expect(made).toBeLessThanOrEqual(heard.length);
    if (heard.length === 3) made = 3;
  }
  expect(heard).toEqual(["chunk 1!", "chunk 2!", "chunk 3!", "the end"]);
  expect(ended).toBe(1);
  const stopped = await stream(session, async () => provider());
  expect(await stopped.next()).toEqual({ done: false, value: "chunk 1!" });
  await stopped.return?.();
  await expect.poll(() => ended, { timeout: 60_000 }).toBe(2);
  expect(await stopped.next()).toMatchObject({ done: true });
  async function* failing(): AsyncIterable<unknown> {
    yield "one";
    throw new TroupeError("user", "cut", "The line was cut");
  }
  const cut = await stream(session, async () => failing());
  expect(await cut.next()).toEqual({ done: false, value: "one!" });
  await expect(cut.next()).rejects.toMatchObject({ group: "user", code: "cut" });
}

/** The end of the session is the end of its streams and of what waits for next. */
async function lostStory(session: PluginSession): Promise<void> {
  const waiting = Promise.withResolvers<void>();
  async function* endless(): AsyncIterable<unknown> {
    yield "one";
    waiting.resolve();
    await new Promise(() => {});
  }
  const chunks = await stream(session, async () => endless());
  await chunks.next();
  const second = Promise.resolve(chunks.next()).catch((error: TroupeError) => error.code);
  await waiting.promise;
  await session.close();
  expect(await second).toBe("closed");
}
