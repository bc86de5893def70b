/** What is said at the end of a run. */

import { OpenAIChatCodec } from "@troupe/relay";
import { createRelay } from "@troupe/relay/node";
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
