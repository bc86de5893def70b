/** The tools that answers ask for, in the trace of a gateway: streamed as four APIs do, packed and in pieces of any size. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { Gateway } from "../src/gateway/gateway.ts";
import { readOptions } from "../src/gateway/options.ts";
import { runTrace } from "../src/trace/command.ts";
import { PluginFolder } from "./support/plugin-folder.ts";
import { ScriptedProvider } from "./support/provider.ts";
import { recordedToolCalls } from "./support/recorded-tool-calls.ts";

test("streams of four APIs: each tool that an answer asks for is one mark below its call, and troupe trace shows it once", async () => {
  using folder = new PluginFolder();
  const atof = join(folder.path, "trace.jsonl");
  let stream: Buffer = Buffer.alloc(0);
  let packed = false;
  await using provider = await ScriptedProvider.start((_request, response) => {
    const encoding = packed ? { "content-encoding": "gzip" } : {};
    response.writeHead(200, { "content-type": "text/event-stream", ...encoding });
    void (async () => {
      const bytes = packed ? gzipSync(stream) : stream;
      for (let at = 0; at < bytes.length; at += 61) {
        response.write(bytes.subarray(at, at + 61));
        await turn();
      }
      response.end();
    })();
  });
  const options = readOptions({ bind: "127.0.0.1:0", upstream: [provider.url], atof }, { cwd: "/" });
  const gateway = await Gateway.start(options);
  for (const [path, original] of recordedToolCalls)
    for (packed of [false, true]) {
      stream = original;
      const answer = await fetch(gateway.url + path, { method: "POST", body: '{"stream":true}' });
      expect(Buffer.from(await answer.arrayBuffer()).equals(stream), path).toBe(true);
    }
  await gateway[Symbol.asyncDispose]();

  const events = readFileSync(atof, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const ends = events.filter(({ scope_category }) => scope_category === "end");
  expect(ends).toHaveLength(2 * recordedToolCalls.length);
  for (const { uuid, name } of ends) {
    const marks = events.filter((event) => event.kind === "mark" && event.parent_uuid === uuid);
    expect(
      marks.map((mark) => [mark.name, mark.data]),
      name,
    ).toEqual([
      ["llm.tool_call", { tool_name: "bash", tool_call_id: "call_1", arguments: { command: "ls ü" } }],
      ["llm.tool_call", { tool_name: "read", tool_call_id: "call_2", arguments: { path: "a" } }],
    ]);
  }
  let shown = "";
  await runTrace(
    atof,
    {},
    {
      cwd: "/",
      out: (text) => {
        shown += text;
      },
    },
  );
  for (const line of [
    '├─ • llm.tool_call  bash  {"command":"ls ü"}',
    '└─ • llm.tool_call  read  {"path":"a"}',
  ])
    expect(shown.split("\n").filter((each) => each === line)).toHaveLength(ends.length);
  expect(shown.match(/bash/g)).toHaveLength(ends.length);
});
