/** What is said at the end of a run. */

import { OpenAIChatCodec } from "@troupe/relay";
import { createRelay } from "@troupe/relay/node";
import { createComponents } from "@troupe/relay/plugin";
import { expect, test } from "vitest";
import { FilesWritten } from "../src/run/files-written.ts";
import { RunSummary } from "../src/run/summary.ts";

test("a list that is longer than a line goes on in the next, and a name is never broken", async () => {
  const relay = createRelay();
  const summary = new RunSummary(new FilesWritten("/nowhere", 0));
  summary.listen(relay);
  const names = [...Array.from({ length: 30 }, (_, n) => `mcp__server__tool_${n}`), "x".repeat(200)];
  const tool_calls = names.map((name) => ({
    id: name,
    type: "function",
    function: { name, arguments: "{}" },
  }));
  const answer = { model: "m", choices: [{ message: { role: "assistant", tool_calls } }] };
  await relay.llmCallExecute("m", { headers: {}, content: { messages: [] } }, () => answer, {
    eventCodec: new OpenAIChatCodec(),
  });
  await relay.flushSubscribers();
  const lines = summary.text(1).split("\n").slice(2, -1);
  expect(lines[0]).toMatch(/^ {2}tools: mcp__server__tool_0 ×1, /);
  expect(lines.slice(1).every((line) => line.startsWith("    ") && line[4] !== " ")).toBe(true);
  expect(lines.filter((line) => line.length > 100)).toEqual([`    ${"x".repeat(200)} ×1`]);
  expect(
    lines
      .join("")
      .split(/,? +/)
      .filter((word) => word.startsWith("mcp")),
  ).toHaveLength(30);
});

test("sums of money are of the currency of their price, and there is none where some call has no price", async () => {
  const relay = createRelay();
  const summary = new RunSummary(new FilesWritten("/", 0));
  summary.listen(relay);
  const components = createComponents(relay);
  const entry = (model_id: string, currency: string) => ({
    provider: "p",
    model_id,
    currency,
    pricing_as_of: "2026-01-01",
    pricing_source: "test",
    rates: { input_per_million: 1_000_000, output_per_million: 1_000_000 },
    prompt_cache: {
      read_accounting: "included_in_prompt_tokens",
      write_accounting: "included_in_prompt_tokens",
    },
  });
  const pricing = { version: 1, entries: [entry("yen", "JPY"), entry("half", "EUR")] };
  const config = { sources: [{ type: "inline", catalog: pricing }] };
  await using _active = await components.initialize({
    version: 1,
    components: [{ kind: "pricing", config }],
  });
  const call = (model: string) =>
    relay.llmCallExecute(
      model,
      { headers: {}, content: { messages: [] } },
      () => ({ model, choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } }),
      { eventCodec: new OpenAIChatCodec(), modelName: model },
    );
  for (const model of ["yen", "yen", "half", "none"]) await call(model);
  await relay.flushSubscribers();
  expect(summary.text(1).split("\n").slice(1, -1)).toEqual([
    "  yen: 2 calls, 2 tokens in, 4 out, 6.0000 JPY",
    "  half: 1 call, 1 tokens in, 2 out, 3.0000 EUR",
    "  none: 1 call, 1 tokens in, 2 out",
    '  price of none: not known; a component "pricing" in troupe.toml says what tokens cost',
  ]);
});

test("why calls failed is said, each reason once with how often, and not all of a hundred", async () => {
  const relay = createRelay();
  const summary = new RunSummary(new FilesWritten("/", 0));
  summary.listen(relay);
  const fail = (reason: string) =>
    relay
      .llmCallExecute("m", { headers: {}, content: {} }, () => Promise.reject(new Error(reason)))
      .catch(() => {});
  for (const reason of ["no network", "no network", `long ${"x".repeat(300)}`, "third", "fourth"])
    await fail(reason);
  await relay.flushSubscribers();
  expect(summary.text(1).split("\n")).toEqual([
    "troupe: 5 model calls in 1.0 s, 5 failed",
    "  failed: no network ×2",
    `  failed: long ${"x".repeat(194)}…`,
    "  failed: third",
    "",
  ]);
});

test("a call whose stream intercept fails is one call, that failed for the intercept's reason", async () => {
  const relay = createRelay();
  const summary = new RunSummary(new FilesWritten("/", 0));
  summary.listen(relay);
  relay.registerLlmStreamExecutionIntercept("frail", async function* ({ request }, { next }) {
    yield* await next(request);
    throw new Error("boom");
  });
  const chunks = async function* () {
    yield {};
  };
  const read = async (): Promise<void> => {
    const request = { headers: {}, content: {} };
    for await (const _chunk of await relay.llmStreamCallExecute("m", request, chunks));
  };
  await expect(read()).rejects.toThrow("failed");
  await expect(read()).rejects.toThrow("failed");
  await relay.flushSubscribers();
  expect(summary.text(1).split("\n")).toEqual([
    "troupe: 2 model calls in 1.0 s, 2 failed",
    '  failed: The llm_stream_execution_intercept "frail" failed: boom ×2',
    "",
  ]);
});

test("a call that a guardrail stopped, by a no or by failing, is counted as what it was: of a model, or of a tool", async () => {
  const relay = createRelay();
  const summary = new RunSummary(new FilesWritten("/", 0));
  summary.listen(relay);
  const marks: unknown[] = [];
  relay.registerSubscriber("marks", (event) => void (event.kind === "mark" && marks.push(event)));
  const decide = (said: unknown): null | string => {
    if (said === "break") throw new Error("lost its plugin");
    return said === "no" ? "not today" : null;
  };
  relay.registerLlmConditionalExecutionGuardrail("frail", ({ request }) => decide(request.content));
  relay.registerToolConditionalExecutionGuardrail("frail", ({ args }) => decide(args));
  for (const content of ["yes", "no", "break"]) {
    await relay.llmCallExecute("m", { headers: {}, content }, () => ({})).catch(() => {});
    await relay.toolConditionalExecution("rm", content).catch(() => {});
  }
  await relay.flushSubscribers();
  const [said, ...lines] = summary.text(1).split("\n");
  expect(said).toBe("troupe: 3 model calls in 1.0 s, 1 refused, 1 failed; 2 tool calls refused");
  expect(lines.filter((line) => line.startsWith("  failed:"))).toEqual([
    '  failed: The llm_conditional_execution_guardrail "frail" failed: lost its plugin',
    '  failed: The tool_conditional_execution_guardrail "frail" failed: lost its plugin',
  ]);
  expect(marks).toMatchObject([
    { name: "m", category: "llm", data: { rejected: true, rejection_reason: "not today" } },
    { name: "rm", category: "tool", data: { rejected: true } },
    {
      name: "m",
      category: "llm",
      data: { allowed: false, rejected: false },
      metadata: { "error.type": "relay.middleware_failed" },
    },
    { name: "rm", category: "tool", data: { allowed: false, rejected: false } },
  ]);
});

test("nothing of it is a secret, whoever said it: a provider, a model, a plugin", async () => {
  const relay = createRelay();
  const summary = new RunSummary(new FilesWritten("/", 0));
  summary.listen(relay);
  const key = `sk-proj-${"aB3".repeat(14)}`;
  const refused = new Error(`Incorrect API key provided: ${key}; see https://h/?api_key=${key}`);
  const request = { headers: {}, content: { messages: [] } };
  await relay.llmCallExecute("m", request, () => Promise.reject(refused)).catch(() => {});
  const tool_calls = [{ id: "1", type: "function", function: { name: key, arguments: "{}" } }];
  const answer = { model: key, choices: [{ message: { role: "assistant", tool_calls } }] };
  await relay.llmCallExecute("m", request, () => answer, { eventCodec: new OpenAIChatCodec() });
  await relay.flushSubscribers();
  const text = summary.text(1);
  expect(text).toContain("  failed: Incorrect API key provided: [REDACTED]");
  expect(text).toContain("  tools: [REDACTED] ×1");
  expect(text).not.toContain("sk-proj");
});

test("each of several calls at once has its own reason", async () => {
  const relay = createRelay();
  const summary = new RunSummary(new FilesWritten("/", 0));
  summary.listen(relay);
  const words = ["A", "B", "C"];
  const gates = words.map(() => Promise.withResolvers<void>());
  relay.registerLlmStreamExecutionIntercept("frail", async function* ({ request }) {
    const n = words.indexOf(String(request.content));
    await gates[n]?.promise;
    yield* [];
    throw new Error(`because ${words[n]}`);
  });
  const read = async (word: string): Promise<void> => {
    const request = { headers: {}, content: word };
    const none = async function* () {};
    for await (const _chunk of await relay.llmStreamCallExecute("m", request, none));
  };
  const reads = words.map((word) => relay.withScope("request", "function", () => read(word)));
  for (const { resolve } of gates) resolve();
  expect((await Promise.allSettled(reads)).map(({ status }) => status)).toEqual(words.map(() => "rejected"));
  await relay.flushSubscribers();
  expect(summary.text(1).split("\n").slice(1, -1)).toEqual(
    words.map((word) => `  failed: The llm_stream_execution_intercept "frail" failed: because ${word}`),
  );
});
