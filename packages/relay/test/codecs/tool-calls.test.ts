/** Tools that a model's answer asks for: a mark each, of whole answers and of streams, as sanitizers leave them. */
import { type CodecName, codecNamed, type LlmCodec, type RelayEvent } from "@troupe/relay";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { answers, requests } from "./payloads.ts";
import { streams } from "./streamed.ts";

type Asked = readonly [id: string, name: string, args: unknown];

const whole: readonly (readonly [CodecName, Asked])[] = [
  ["openai_chat", ["c1", "f", { a: 1 }]],
  ["openai_responses", ["c", "f", { a: 2 }]],
  ["anthropic_messages", ["tu", "f", { a: 1 }]],
  // Gemini's calls need no id.
  ["gemini_generate_content", ["f", "f", { a: 1 }]],
];

async function marksOf({ relay, events }: Driver): Promise<RelayEvent[]> {
  await relay.flushSubscribers();
  return events.filter(({ name }) => name === "llm.tool_call");
}

async function call(driver: Driver, name: CodecName, answer: unknown, codec: LlmCodec = codecNamed(name)) {
  const request = { headers: {}, content: requests[name] };
  return await driver.relay.llmCallExecute("model", request, () => answer, { codec });
}

test.each(whole)("%s: a whole answer's is below the call, and comes before its end", async (name, asked) => {
  const driver = new Driver();
  await call(driver, name, answers[name]);
  const marks = await marksOf(driver);
  const [tool_call_id, tool_name, args] = asked;
  expect(marks.map(({ data }) => data)).toEqual([{ tool_name, tool_call_id, arguments: args }]);
  const end = await driver.find("model", "end");
  expect(marks.map(({ parent_uuid }) => parent_uuid)).toEqual([end.uuid]);
  expect(driver.events.at(-1)).toBe(end);
});

test.each(streams)("$name: a stream's is told once, when all of it is there", async ({ name, chunks }) => {
  const driver = new Driver();
  async function* provider() {
    yield* chunks;
  }
  const request = { headers: {}, content: requests[name] };
  const codec = codecNamed(name);
  const stream = await driver.relay.llmStreamCallExecute("model", request, provider, { codec });
  for await (const _chunk of stream);
  const marks = await marksOf(driver);
  expect(marks.map(({ data }) => data)).toEqual([{ tool_name: "f", tool_call_id: "t", arguments: { a: 1 } }]);
  expect(marks[0]?.parent_uuid).toBe((await driver.find("model", "end")).uuid);
});

/** Of Anthropic's, with `count` calls. */
function asking(count: number) {
  const content = Array.from({ length: count }, (_, n) => ({
    type: "tool_use",
    id: `t${n}`,
    name: "f",
    input: { n },
  }));
  return { ...answers.anthropic_messages, content };
}

test("several are told in their order, and each has a time of its own before the end's", async () => {
  const driver = new Driver();
  await call(driver, "anthropic_messages", asking(20));
  expect((await marksOf(driver)).map(({ data }) => Object(data).tool_call_id)).toEqual(
    Array.from({ length: 20 }, (_, n) => `t${n}`),
  );
  const times = driver.events.map(({ timestamp }) => timestamp);
  expect(times).toEqual(times.toSorted());
  expect(new Set(times).size).toBe(times.length);
});

test("more of them than there is room for are all told, in their order and before the end", async () => {
  const driver = new Driver();
  await call(driver, "anthropic_messages", asking(200));
  expect(await marksOf(driver)).toHaveLength(200);
  const times = driver.events.map(({ timestamp }) => timestamp);
  expect(times).toEqual(times.toSorted());
  expect(times.at(-1)).not.toBe(times.at(-2));
});

test("tools whose input is a text of their own making are told with that text", async () => {
  const driver = new Driver();
  const patch = "*** Begin Patch\n*** Add File: a.txt\n+{}\n*** End Patch";
  const item = { type: "custom_tool_call", call_id: "p", name: "apply_patch", input: patch };
  await call(driver, "openai_responses", { ...answers.openai_responses, output: [item] });
  const tool_calls = [{ id: "q", type: "custom", custom: { name: "sql", input: "7" } }];
  await call(driver, "openai_chat", { choices: [{ message: { role: "assistant", tool_calls } }] });
  expect((await marksOf(driver)).map(({ data }) => data)).toEqual([
    { tool_name: "apply_patch", tool_call_id: "p", arguments: patch },
    { tool_name: "sql", tool_call_id: "q", arguments: "7" },
  ]);
});

test("what a sanitizer of the response or of the end event takes out is in no mark, and those of marks are asked too", async () => {
  const driver = new Driver();
  const { relay } = driver;
  const secrets = ["of the response", "of the end", "of the mark"];
  const without = (secret: string, value: unknown) =>
    JSON.parse(JSON.stringify(value).replaceAll(secret, "[gone]"));
  relay.registerLlmSanitizeResponseGuardrail("response", async ({ value }) =>
    without("of the response", value),
  );
  relay.registerScopeSanitizeEndGuardrail("end", ({ fields }) => without("of the end", fields));
  relay.registerMarkSanitizeGuardrail("mark", async ({ fields }) => without("of the mark", fields));
  relay.registerEventMetadataInjector("team", () => ({ team: "blue" }));
  const content = [{ type: "tool_use", id: "t", name: "f", input: { secrets } }];
  await call(driver, "anthropic_messages", { ...answers.anthropic_messages, content });
  expect(await marksOf(driver)).toMatchObject([
    { data: { arguments: { secrets: ["[gone]", "[gone]", "[gone]"] } }, metadata: { team: "blue" } },
  ]);
  expect(driver.events.at(-1)).toBe(await driver.find("model", "end"));
});

test("a sanitizer that fails leaves nothing to tell", async () => {
  const driver = new Driver();
  driver.relay.registerLlmSanitizeResponseGuardrail("broken", () => Promise.reject(new Error("no")));
  await call(driver, "anthropic_messages", answers.anthropic_messages);
  expect(await marksOf(driver)).toEqual([]);
});

test("where nobody listens no answer is read, and without a codec nothing is known of tools", async () => {
  const deaf = new Driver({ listening: false });
  const codec: LlmCodec = {
    ...codecNamed("anthropic_messages"),
    decodeResponse: () => {
      throw new Error("nobody asked");
    },
  };
  await call(deaf, "anthropic_messages", answers.anthropic_messages, codec);
  expect(deaf.warnings).toEqual([]);
  const driver = new Driver();
  const request = { headers: {}, content: {} };
  await driver.relay.llmCallExecute("model", request, () => answers.anthropic_messages);
  expect(await marksOf(driver)).toEqual([]);
});
