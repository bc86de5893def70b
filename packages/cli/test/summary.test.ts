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
    "troupe: 0 model calls in 1.0 s, 5 failed",
    "  failed: no network ×2",
    `  failed: long ${"x".repeat(194)}…`,
    "  failed: third",
    "",
  ]);
});
