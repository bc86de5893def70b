/** What codecs tell of requests and responses: the shapes that were recorded from nemo-relay-node 0.9.2. */
import { builtinCodecs, codecNamed, detectCodec, detectResponseCodec } from "@troupe/relay";
import { expect, test } from "vitest";
import { answers, requests } from "./payloads.ts";

test.each(builtinCodecs.map((codec) => [codec.name, codec] as const))(
  "%s is found by what it looks like",
  (name, codec) => {
    expect(detectCodec(requests[name])).toBe(codec);
    expect(detectResponseCodec(answers[name])).toBe(codec);
    expect(codecNamed(name)).toBe(codec);
  },
);

test("what no codec knows is found by none, and a name that isn't there lists those that are", () => {
  expect(detectCodec({ prompt: "x" })).toBeUndefined();
  expect(detectCodec("text")).toBeUndefined();
  expect(detectResponseCodec(null)).toBeUndefined();
  expect(() => codecNamed("openai")).toThrow(/openai_responses, anthropic_messages, openai_chat/);
});

test("a chat request in the words of all providers", () => {
  const annotated = codecNamed("openai_chat").decode({ headers: {}, content: requests.openai_chat });
  expect(annotated).toMatchObject({
    model: "gpt-4o",
    params: { temperature: 0.5, max_tokens: 11, top_p: 0.1, stop: ["x"] },
    tools: [{ type: "function", function: { name: "f", description: "d", parameters: { type: "object" } } }],
    tool_choice: "auto",
    stream: true,
    store: true,
    user: "u",
    zzz: { q: 1 },
    api_specific: { api: "openai_chat", seed: 1, stream_options: { include_usage: true } },
  });
  expect(annotated.messages).toMatchObject([
    { role: "system", content: "s" },
    {
      role: "user",
      name: "bob",
      content: [
        { type: "text", text: "hi" },
        { type: "image_url", image_url: { url: "http://x", detail: "low" } },
        { type: "audio", audio: { data: "AA", format: "wav" } },
        { type: "file", file: { file_id: "f" } },
        { type: "provider_native", provider: "openai_chat", kind: "weird", value: { type: "weird", z: 1 } },
      ],
    },
    { role: "assistant", tool_calls: [{ id: "c1" }] },
    { role: "tool", tool_call_id: "c1", content: "r" },
  ]);
});

test("a request of the responses API in the words of all providers", () => {
  const annotated = codecNamed("openai_responses").decode({
    headers: {},
    content: requests.openai_responses,
  });
  expect(annotated).toMatchObject({
    instructions: "be",
    params: { max_tokens: 5, temperature: 1 },
    max_output_tokens: 5,
    previous_response_id: "p",
    reasoning: { effort: "low" },
    include: ["x"],
    tool_choice: { type: "function", function: { name: "f" } },
    tools: [
      { type: "function", function: { name: "f", parameters: { type: "object" }, strict: true } },
      { type: "provider_native", provider: "openai_responses", kind: "web_search" },
    ],
    api_specific: { api: "openai_responses", text: { format: { type: "text" } } },
    zz: 1,
  });
  expect(annotated.messages).toMatchObject([
    {
      role: "user",
      content: [
        { type: "text", text: "hi" },
        { type: "image", image: { image_url: "http://x" } },
        { type: "file", file: { file_id: "f" } },
      ],
    },
    { role: "assistant", content: [{ type: "text", text: "yo" }] },
    { role: "tool_call", call_id: "c", id: "fc", name: "f", arguments: { a: 1 }, status: "completed" },
    { role: "tool_result", call_id: "c", output: "42" },
    { role: "provider_native", provider: "openai_responses", kind: "reasoning" },
  ]);
});

test("a request of Anthropic's in the words of all providers", () => {
  const annotated = codecNamed("anthropic_messages").decode({
    headers: {},
    content: requests.anthropic_messages,
  });
  expect(annotated).toMatchObject({
    instructions: [{ type: "text", text: "sys", cache_control: { type: "ephemeral" } }],
    params: { max_tokens: 100, stop: ["x"], temperature: 0.3, top_p: 0.9 },
    tool_choice: { type: "function", function: { name: "f" } },
    tools: [
      { type: "function", function: { name: "f", description: "d", parameters: { type: "object" } } },
      { type: "provider_native", provider: "anthropic_messages", kind: "web_search_20250305" },
    ],
    api_specific: { api: "anthropic_messages", thinking: { type: "enabled", budget_tokens: 1024 }, top_k: 5 },
  });
  expect(annotated.messages).toMatchObject([
    { role: "user", content: "hi" },
    {
      role: "assistant",
      content: [
        { type: "provider_native", provider: "anthropic_messages", kind: "thinking" },
        { type: "text", text: "t" },
        { type: "tool_use", id: "tu", name: "f", input: { a: 1 } },
      ],
    },
    {
      role: "user",
      content: [
        { type: "tool_result", tool_use_id: "tu", content: "42" },
        { type: "image", image: { source: { type: "url", url: "u" } } },
        { type: "file", file: { source: { data: "d" } } },
      ],
    },
  ]);
});

test("a request of Gemini's in the words of all providers", () => {
  const annotated = codecNamed("gemini_generate_content").decode({
    headers: {},
    content: requests.gemini_generate_content,
  });
  expect(annotated).toMatchObject({
    params: { max_tokens: 9, stop: ["z"], temperature: 0.1, top_p: 0.2 },
    cachedContent: "cc",
    tools: [
      { type: "function", function: { name: "f", description: "d" } },
      { type: "provider_native", provider: "gemini", kind: "googleSearch", value: { googleSearch: {} } },
    ],
  });
  expect(annotated.messages).toMatchObject([
    { role: "system", content: "sys" },
    {
      role: "user",
      content: [
        { type: "text", text: "hi" },
        { type: "provider_native", kind: "inlineData" },
      ],
    },
    { role: "assistant", tool_calls: [{ id: "x", function: { name: "f", arguments: '{"a":1}' } }] },
    { role: "tool", content: '{"r":1}', tool_call_id: "f" },
  ]);
});

const told = {
  openai_chat: {
    id: "i",
    model: "gpt-4o-1",
    message: "hey",
    tool_calls: [{ id: "c1", name: "f", arguments: { a: 1 } }],
    finish_reason: "tool_use",
    usage: {
      prompt_tokens: 10,
      completion_tokens: 5,
      total_tokens: 15,
      cache_read_tokens: 4,
      uncached_input_tokens: 6,
    },
    zzz: 1,
  },
  openai_responses: {
    id: "r",
    model: "gpt-5-x",
    message: "yo",
    tool_calls: [{ id: "c", name: "f", arguments: { a: 2 } }],
    // The recording says "complete" here: a call that is asked for is one at every provider.
    finish_reason: "tool_use",
    usage: {
      prompt_tokens: 10,
      completion_tokens: 4,
      total_tokens: 14,
      cache_read_tokens: 3,
      uncached_input_tokens: 7,
    },
    zz: 1,
  },
  anthropic_messages: {
    id: "msg",
    model: "claude-x",
    message: "t\nu",
    tool_calls: [{ id: "tu", name: "f", arguments: { a: 1 } }],
    finish_reason: "tool_use",
    usage: {
      prompt_tokens: 10,
      completion_tokens: 5,
      total_tokens: 15,
      cache_read_tokens: 2,
      cache_write_tokens: 3,
      uncached_input_tokens: 10,
    },
    zz: 1,
  },
  gemini_generate_content: {
    id: "rid",
    model: "gemini-2-x",
    message: "yo",
    tool_calls: [{ id: "f", name: "f", arguments: { a: 1 } }],
    finish_reason: "tool_use",
    usage: {
      prompt_tokens: 10,
      completion_tokens: 5,
      total_tokens: 18,
      cache_read_tokens: 4,
      uncached_input_tokens: 6,
    },
    zz: 1,
  },
};

test.each(builtinCodecs.map((codec) => [codec.name, codec] as const))("a response of %s", (name, codec) => {
  expect(codec.decodeResponse(answers[name])).toMatchObject(told[name]);
  expect(codec.decodeResponse(answers[name]).api_specific?.api).toBe(name);
});
