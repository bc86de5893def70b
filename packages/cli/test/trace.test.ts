/** `troupe trace`: what the relay wrote, read back. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { TroupeError } from "@troupe/base";
import { OpenAIChatCodec } from "@troupe/relay";
import { AtofExporter, createRelay } from "@troupe/relay/node";
import { expect, test } from "vitest";
import { troupeBundle } from "../../../tools/setup/troupe-bundle.ts";
import { runTrace } from "../src/trace/command.ts";
import { tracePage } from "../src/trace/trace-page.ts";
import { PluginFolder } from "./support/plugin-folder.ts";

const calls = ["ls", "cat", "ls"].map((name, n) => ({
  id: `${n}`,
  type: "function",
  function: { name, arguments: "{}" },
}));

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
        choices: [{ message: { role: "assistant", content: "yes", tool_calls: calls } }],
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
      "│  ├─ • llm.tool_call  ls  {}",
      "│  ├─ • llm.tool_call  cat  {}",
      "│  └─ • llm.tool_call  ls  {}",
      '├─ • note  {"page":3}',
      "└─ bash  tool  TIME  ✗ no such file",
      "",
      "10 events",
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
  expect(text).toMatch(/9 events, 1 line that could not be read\n$/);
});

test("a guardrail that says no without a word has refused all the same", async () => {
  using folder = new PluginFolder();
  const data = { rejected: true, rejection_reason: "" };
  expect(await shown(written(folder, [{ uuid: "a", kind: "mark", name: "no", data }]))).toBe(
    "• no  ✗ refused\n\n1 events\n",
  );
});

test("a text with ends of lines that are none in JSON hides no event, and a page says what can't be read", async () => {
  using folder = new PluginFolder();
  const path = written(folder, [
    { uuid: "a", name: "be\u2028fore\u2029\u0085", data: "x".repeat(200_000) },
    { uuid: "b" },
  ]);
  writeFileSync(path, `${readFileSync(path, "utf8").replace("\n", "\r\n")}{"half`);
  const seen = "be?fore??  has no end\nturn  has no end\n\n2 events, 1 line that could not be read\n";
  expect(await shown(path)).toBe(seen);
  const page = join(folder.path, "page.html");
  await shown(path, { html: page });
  expect(readFileSync(page, "utf8")).toContain("<p>2 events, 1 line that could not be read, ");
});

/** A file of scopes that began and didn't end. */
function written(folder: PluginFolder, events: readonly object[]): string {
  const known = { atof_version: "0.1", kind: "scope", scope_category: "start", name: "turn" };
  const timed = { ...known, timestamp: "2026-11-21T10:00:00.000000Z" };
  const lines = events.map((event) => JSON.stringify({ ...timed, ...event }));
  return folder.write("made.jsonl", `${lines.join("\n")}\n`);
}

test("what a name says moves no cursor and makes no line, and an event that says no time is told of as unreadable", async () => {
  using folder = new PluginFolder();
  const name = "\u001b[31mred\u009b2J\nturn";
  const path = written(folder, [
    { uuid: "a", name },
    { uuid: "b", kind: "mark", name: "no\u202ete", data: "\u009b2J" },
    { uuid: "c", timestamp: "once" },
    { uuid: "d", name: { not: "a text" } },
  ]);
  expect(await shown(path)).toBe(
    '?[31mred?2J?turn  has no end\n• no?te  "?2J"\n\n2 events, 2 lines that could not be read\n',
  );
});

test("parents in a circle, and more of them than a tree can show, are shown all the same", async () => {
  using folder = new PluginFolder();
  const chain = Array.from({ length: 8_000 }, (_, index) => ({
    uuid: `${index}`,
    parent_uuid: `${index - 1}`,
  }));
  const circle = [
    { uuid: "a", parent_uuid: "b" },
    { uuid: "b", parent_uuid: "a" },
    { uuid: "c", parent_uuid: "c" },
  ];
  const path = written(folder, [...chain, ...circle]);
  expect((await shown(path)).match(/has no end/g)).toHaveLength(8_003);
  const page = join(folder.path, "page.html");
  expect(await shown(path, { html: page })).toBe(`The trace is at ${page}\n`);
});

test("a file of several runs is shown run by run, and what was refused as what failed", async () => {
  using folder = new PluginFolder();
  const at = (second: number) => `2026-11-21T10:00:0${second}.000000Z`;
  const of = (session: string) => ({ metadata: { session_id: session } });
  const no = { rejected: true, rejection_reason: "nothing is removed" };
  const path = written(folder, [
    { uuid: "a", name: "first", timestamp: at(0), ...of("run-1") },
    { uuid: "b", name: "second", timestamp: at(1), ...of("run-2") },
    { uuid: "a", scope_category: "end", timestamp: at(2), ...of("run-1") },
    { uuid: "c", kind: "mark", name: "guard/no-rm", data: no, timestamp: at(3), ...of("run-1") },
    { uuid: "d", kind: "mark", name: "alone", timestamp: at(4) },
  ]);
  expect(await shown(path)).toBe(
    [
      "Session run-1, 2026-11-21 10:00:00 UTC, 3.00 s",
      "first  2.00 s",
      "• guard/no-rm  ✗ nothing is removed",
      "",
      "Session run-2, 2026-11-21 10:00:01 UTC, 0 µs",
      "second  has no end",
      "",
      "No session, 2026-11-21 10:00:04 UTC, 0 µs",
      "• alone",
      "",
      "5 events",
      "",
    ].join("\n"),
  );
  const page = join(folder.path, "page.html");
  await shown(path, { html: page });
  const text = readFileSync(page, "utf8");
  expect(text.match(/<h2>[^,]*/g)).toEqual(["<h2>Session run-1", "<h2>Session run-2", "<h2>No session"]);
  expect(text).toMatch(/<summary class="mark error">.*guard\/no-rm.*<em>nothing is removed<\/em>/);
});

test("who reads it may leave before the end, as behind a pipe to head", async () => {
  using folder = new PluginFolder();
  const path = written(folder, [{ uuid: "a" }]);
  const child = spawn(process.execPath, ["--conditions=troupe-source", troupeBundle, "trace", path], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.destroy();
  const [[code], err] = await Promise.all([once(child, "close"), text(child.stderr)]);
  expect([code, err]).toEqual([0, ""]);
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

test("a page has the first of a long trace, and says what it leaves out", async () => {
  using folder = new PluginFolder();
  const data = { text: "<".repeat(19_000) };
  const events = Array.from({ length: 300 }, (_, n) => ({ uuid: `${n}`, name: `turn-${n}`, data }));
  const path = join(folder.path, "page.html");
  await shown(written(folder, events), { html: path });
  const page = readFileSync(path, "utf8");
  expect(page.length).toBeLessThan(21_000_000);
  const values = page.match(/<pre /g)?.length ?? 0;
  expect(page).toContain(`${300 - values} requests and responses; the file has them`);
  expect(values).toBeGreaterThan(200);
  expect(page).toContain("turn-299");
});

test("scopes past what a page has room for are counted on it", () => {
  const name = "n".repeat(1_000_000);
  const node = {
    kind: "mark",
    name,
    category: undefined,
    beganAt: 0,
    tookMs: undefined,
    error: undefined,
    session: undefined,
  } as const;
  const more = { facts: [], input: undefined, output: undefined, children: [] };
  const roots = Array.from({ length: 25 }, () => ({ ...node, ...more }));
  const page = tracePage({ roots, events: 25, unreadable: 0 }, "t");
  const shownOnes = page.match(/<summary/g)?.length ?? 0;
  expect(shownOnes).toBeGreaterThan(15);
  expect(page).toContain(`no room for them: ${25 - shownOnes} scopes and marks; the file has them`);
});

test.each([
  ["a file that isn't there", "/nowhere/t.jsonl", "trace.cannot_read"],
  ["a file of something else", import.meta.filename, "trace.not_atof"],
])("%s is refused by name", async (_what, path, code) => {
  const error = await shown(path).catch((thrown: unknown) => thrown);
  expect(TroupeError.is(error) && `${error.group}.${error.code}`).toBe(code);
});

test("the trace of a run in which nothing was called says so, and so does its page", async () => {
  using folder = new PluginFolder();
  const path = folder.write("empty.jsonl", "");
  expect(await shown(path)).toBe("No events: nothing was called while this was written\n");
  const page = join(folder.path, "empty.html");
  await shown(path, { html: page });
  expect(readFileSync(page, "utf8")).toContain("<p>0 events, ");
});

test("a trace and its page are for their owner alone", async () => {
  using folder = new PluginFolder();
  const file = await recorded(folder);
  const page = join(folder.path, "t.html");
  await shown(file, { html: page });
  for (const path of [file, page]) expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a page never takes the place of its trace, by whatever name, and is its user's alone where another was there", async () => {
  using folder = new PluginFolder();
  const path = await recorded(folder);
  const before = readFileSync(path, "utf8");
  const link = join(folder.path, "link.html");
  symlinkSync(path, link);
  for (const html of [path, link, `${folder.path}/./t.jsonl`])
    await expect(shown(path, { html })).rejects.toMatchObject({ code: "invalid_option" });
  expect(readFileSync(path, "utf8")).toBe(before);
  const page = folder.write("page.html", "of another trace");
  chmodSync(page, 0o644);
  await shown(path, { html: page });
  expect(statSync(page).mode & 0o777).toBe(0o600);
  expect(readFileSync(page, "utf8")).toMatch(/^<!doctype html>/i);
});
