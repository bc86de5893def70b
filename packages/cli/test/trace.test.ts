/** `troupe trace`: what the relay wrote, read back. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TroupeError } from "@troupe/base";
import { OpenAIChatCodec } from "@troupe/relay";
import { AtofExporter, createRelay } from "@troupe/relay/node";
import { expect, test } from "vitest";
import { runTrace } from "../src/trace/command.ts";
import { PluginFolder } from "./support/plugin-folder.ts";

async function recorded(folder: PluginFolder): Promise<string> {
  const relay = createRelay();
  const exporter = new AtofExporter({ outputDirectory: folder.path, filename: "t.jsonl" });
  exporter.register(relay, "atof");
  await relay.withScope("turn", "agent", async () => {
    await relay.llmCallExecute(
      "openai.chat_completions",
      {
        headers: {},
        content: { model: "m", messages: [{ role: "user", content: "<script>alert(1)</script>" }] },
      },
      () => ({
        model: "m-1",
        choices: [{ message: { role: "assistant", content: "yes" } }],
        usage: { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 },
      }),
      { codec: new OpenAIChatCodec() },
    );
    relay.event("note", { data: { page: 3 } });
    await relay
      .toolCallExecute("bash", {}, () => Promise.reject(new Error("no such file")))
      .catch(() => undefined);
  });
  await exporter[Symbol.asyncDispose]();
  return join(folder.path, "t.jsonl");
}

async function shown(file: string, flags = {}): Promise<string> {
  let said = "";
  await runTrace(file, flags, {
    cwd: "/",
    out: (text) => {
      said += text;
    },
  });
  return said;
}

test("a tree with times, models, tokens, marks and what failed", async () => {
  using folder = new PluginFolder();
  const text = (await shown(await recorded(folder))).replaceAll(/[\d.]+ (?:µs|ms|s)/g, "TIME");
  expect(text).toBe(
    [
      "turn  agent  TIME",
      "├─ openai.chat_completions  llm  TIME  m-1  7 in, 2 out",
      '├─ • note  {"page":3}',
      "└─ bash  tool  TIME  ✗ no such file",
      "",
      "7 events",
      "",
    ].join("\n"),
  );
});

test("a file that a crash cut is shown as far as it goes", async () => {
  using folder = new PluginFolder();
  const path = await recorded(folder);
  const whole = readFileSync(path, "utf8");
  const lines = whole.trimEnd().split("\n");
  // The last line is half there; the turn has no end.
  writeFileSync(path, `${lines.slice(0, -1).join("\n")}\n${lines.at(-1)?.slice(0, 40)}`);
  const text = await shown(path);
  expect(text).toMatch(/^turn {2}agent {2}has no end\n/);
  expect(text).toMatch(/6 events, 1 lines that could not be read\n$/);
});

test("as a page it needs nothing else, and what a trace says is text", async () => {
  using folder = new PluginFolder();
  const path = join(folder.path, "page.html");
  expect(await shown(await recorded(folder), { html: path })).toBe(`The trace is at ${path}\n`);
  const page = readFileSync(path, "utf8");
  expect(page).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
  expect(page).not.toMatch(/<script|https?:\/\//);
  expect(page).toContain("default-src 'none'");
});

test.each([
  ["a file that isn't there", "/nowhere/t.jsonl", "trace.cannot_read"],
  ["a file of something else", import.meta.filename, "trace.not_atof"],
])("%s is refused by name", async (_what, path, code) => {
  const error = await shown(path).catch((thrown: unknown) => thrown);
  expect(TroupeError.is(error) && `${error.group}.${error.code}`).toBe(code);
});
