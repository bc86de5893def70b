/** Nothing of a stream passes a stream intercept unseen, however its client spells the request, and however its provider begins. */
import { gzipSync, zstdCompressSync } from "node:zlib";
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { got } from "./support/seen-stream.ts";

const body = '{"contents":[]}';
const list = { parts: ['[{"a":"good"}]'], headers: { "content-type": "application/json" } };
const plain = { "content-type": "text/plain" };
const stream = 'data: {"a":"good"}\n\ndata: [DONE]\n\n';

test.each([
  "m:streamGenerateContent",
  "m%3AstreamGenerateContent",
  "m%253AstreamGenerateContent",
  "m:stream%47enerateContent",
  "m:streamGenerateContent/",
  "m:streamGenerateContent;a=1",
  "m:streamGenerateContent%3Fa=1",
  "m:streamGenerateContent%00.png",
  "m:streamGenerateContent%20",
  "m:streamGenerateContent.",
])("Gemini's list is shown, and its events are, asked for at %s", async (verb) => {
  const path = `/v1beta/models/${verb}`;
  expect((await got(list, true, { path, body })).said).toBe('[{"a":"GOOD"}]');
  const events = { parts: [stream], headers: plain };
  expect((await got(events, true, { path: `${path}?alt=sse`, body })).said).toBe(
    stream.replace("good", "GOOD"),
  );
});

test("a path with a second one in it, as whoever decodes it twice would read it, is refused", async () => {
  const path = "/x%3F/v1beta/models/m:streamGenerateContent";
  expect(await got(list, true, { path, body })).toMatchObject({ status: 400 });
});

test.each([
  ["a word", `x\n\n${stream}`],
  ["an empty object", `{}\n\n${stream}`],
  ["an unknown field", `foo: 1\n${stream}`],
  ["a field without a colon", 'data\ndata: {"a":"good"}\n\n'],
  ["a null", `\0${stream}`],
  ["a number", `1\n${stream}`],
])("a stream under another name that begins with %s is refused whole", async (_what, sent) => {
  for (const parts of [[sent], [...sent]]) {
    const { status, said } = await got({ parts, headers: plain }, true);
    expect(status).toBe(502);
    expect(JSON.parse(said).error).toMatchObject({ code: "gateway.upstream_unread" });
  }
});

test("one value in JSON in the place of a stream goes on, packed or not; in the place of a list it is refused", async () => {
  const value = '{"a":"good"}\n';
  const headers = { "content-type": "application/json" };
  expect(await got({ parts: [...value], headers }, true)).toEqual({
    status: 200,
    said: value,
    isWhole: true,
  });
  const packed = { parts: [gzipSync(value)], headers: { ...headers, "content-encoding": " GZIP " } };
  expect(await got(packed, true)).toEqual({ status: 200, said: value, isWhole: true });
  const path = "/v1beta/models/m:streamGenerateContent";
  expect(await got({ parts: [value], headers }, true, { path, body })).toMatchObject({ status: 502 });
});

test.each([
  ["at its begin", stream],
  ["behind a word", `x\n  ${stream}`],
  ["behind an object", `{}\r${stream}`],
])("events %s that weren't asked for are refused, or cut, whatever they are called", async (_where, sent) => {
  for (const [parts, headers] of [
    [[sent], plain],
    [[...sent], plain],
    [[gzipSync(sent)], { ...plain, "content-encoding": "gzip" }],
  ] as const) {
    const { said } = await got({ parts, headers }, false, { body: '{"stream":"no"}' });
    expect(said).not.toContain("good");
  }
});

test("an answer in one piece that was asked for goes on as it came, packed or not", async () => {
  const value = '{\n  "a": "good",\n  "b": "x\\ndata: y"\n}';
  const headers = { "content-type": "application/json" };
  const asked = { body: "{}" };
  expect((await got({ parts: [...value], headers }, true, asked)).said).toBe(value);
  const packed = await got(
    { parts: [gzipSync(value)], headers: { ...headers, "content-encoding": "gzip" } },
    true,
    asked,
  );
  expect(packed).toMatchObject({ status: 200, isWhole: true });
});

test("what some readers take for the end of a line makes no event of a comment, an id or a name", async () => {
  const hidden = 'data: {"a":"good"}';
  const sent = `: a\u2028${hidden}\n\nid: b\u0085${hidden}\nevent: c\v${hidden}\ndata: {"a":1}\n\n`;
  const { said } = await got({ parts: [sent] });
  // As Python splits a text into lines.
  const lines = said.split(/[\p{Cc}\p{Zl}\p{Zp}]/u);
  expect(lines.filter((line) => line.startsWith("data:"))).toEqual(['data: {"a":1}']);
});

test("the last event needs no empty line behind it", async () => {
  for (const last of ['data: {"a":"good"}\n', 'data: {"a":"good"}', "data: [DONE]\n"]) {
    const sent = `data: {"b":1}\n\n${last}`;
    expect(await got({ parts: [sent] })).toEqual({
      status: 200,
      said: `${sent.trimEnd()}\n\n`,
      isWhole: true,
    });
  }
});

const long = "x".repeat(limits.gatewayChunkCharacters);

test.each([
  ["an event", "", `data: "${long}`],
  [
    "an event of many lines",
    "",
    `data: ${long.slice(0, 1_000)}\n`.repeat(limits.gatewayChunkCharacters / 1_000),
  ],
  ["a comment", "", `: ${long}`],
  ["an element", "list", `[{"a":"${long}`],
  ["blanks between elements", "list", `[1${" ".repeat(long.length + 1)}`],
  ["a value", "value", `{"a":"${long}"}`],
])("%s without an end is held to its limit, and cut there", async (_what, kind, sent) => {
  const begin = kind === "" ? 'data: {"a":"good"}\n\n' : "";
  const type = kind === "" ? "text/event-stream" : "application/json";
  const path = kind === "list" ? "/v1beta/models/m:streamGenerateContent" : "/v1/chat/completions";
  const parts = [zstdCompressSync(begin + sent)];
  const headers = { "content-type": type, "content-encoding": "zstd" };
  const { status, said, isWhole } = await got({ parts, headers }, true, { path });
  if (kind === "value") expect(JSON.parse(said).error).toMatchObject({ code: "gateway.chunk_unshown" });
  else
    expect({ status, isWhole, said: said.length < 100 }).toEqual({ status: 200, isWhole: false, said: true });
});
