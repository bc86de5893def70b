/** Streams put together: the response as it would have come in one piece, with the usage of the last word. */
import { builtinCodecs, codecNamed } from "@troupe/relay";
import { expect, test } from "vitest";
import { codeOf, Driver } from "../driver/driver.ts";
import { requests } from "./payloads.ts";
import { streams } from "./streamed.ts";

test.each(streams)("$name: chunks are one response, and a stream that is cut off isn't whole", (streamed) => {
  const { name, chunks, enough, message, prompt, completion } = streamed;
  const codec = codecNamed(name);
  const collector = codec.collectStream();
  for (const [n, chunk] of chunks.entries()) {
    expect([n, collector.end().complete]).toEqual([n, n >= enough]);
    collector.add(chunk);
  }
  const { response, complete } = collector.end();
  expect(complete).toBe(true);
  expect(codec.decodeResponse(response)).toMatchObject({
    message,
    finish_reason: "tool_use",
    tool_calls: [{ id: "t", name: "f", arguments: { a: 1 } }],
    usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: 16 },
  });
});

test.each(streams)("$name: what is unknown or malformed changes nothing", ({ name, chunks }) => {
  const clean = codecNamed(name).collectStream();
  const noisy = codecNamed(name).collectStream();
  for (const chunk of chunks) {
    clean.add(chunk);
    for (const noise of [null, 1, "x", [], { type: "some.new.event" }]) noisy.add(noise);
    noisy.add(chunk);
  }
  expect(noisy.end().response).toMatchObject(Object(clean.end().response));
});

test.each(streams)(
  "$name: a streamed call's end event has the whole response and the final usage",
  async (streamed) => {
    const driver = new Driver();
    const codec = codecNamed(streamed.name);
    async function* provider() {
      yield* streamed.chunks;
    }
    const request = { headers: {}, content: requests[streamed.name] };
    const stream = await driver.relay.llmStreamCallExecute("model", request, provider, { codec });
    const chunks: unknown[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks).toEqual(streamed.chunks);
    const start = await driver.find("model", "start");
    expect(start.category_profile?.annotated_request).toEqual(codec.decode(request));
    expect((await driver.find("model", "end")).category_profile).toMatchObject({
      annotated_response: { message: "hey", usage: { completion_tokens: 9 } },
    });
    expect((await driver.find("llm.chunk", "mark")).data).toMatchObject({
      chunk_index: 0,
      provider: codec.name,
    });
  },
);

test.each(streams)(
  "$name: a stream that is cut off is an error, and what came is in its end event",
  async (streamed) => {
    const { relay } = new Driver();
    async function* provider() {
      yield* streamed.chunks.slice(0, streamed.enough - 1);
    }
    const request = { headers: {}, content: requests[streamed.name] };
    const stream = await relay.llmStreamCallExecute("model", request, provider, {
      codec: codecNamed(streamed.name),
    });
    const read = async () => {
      for await (const _chunk of stream);
    };
    expect(await codeOf(read())).toBe("relay.stream_truncated");
  },
);

test("a prompt that Gemini blocks is a whole stream without an answer, and says why", async () => {
  const driver = new Driver();
  const codec = codecNamed("gemini_generate_content");
  async function* provider() {
    yield { promptFeedback: { blockReason: "SAFETY" }, usageMetadata: { promptTokenCount: 3 } };
  }
  const request = { headers: {}, content: { contents: [] } };
  const stream = await driver.relay.llmStreamCallExecute("model", request, provider, { codec });
  for await (const _chunk of stream);
  expect((await driver.find("model", "end")).category_profile).toMatchObject({
    annotated_response: {
      finish_reason: "content_filter",
      promptFeedback: { blockReason: "SAFETY" },
      usage: { prompt_tokens: 3 },
    },
  });
});

test("a response of OpenAI's that failed says so in its annotation", () => {
  const codec = codecNamed("openai_responses");
  const collector = codec.collectStream();
  const error = { code: "server_error", message: "x" };
  collector.add({ type: "response.failed", response: { id: "r", status: "failed", error } });
  expect(codec.decodeResponse(collector.end().response)).toMatchObject({
    finish_reason: "unknown",
    error,
    api_specific: { status: "failed" },
  });
});

test("a stream in which the provider says that it gave up is read to its end, and its end event is an error", async () => {
  const driver = new Driver();
  const failed = {
    type: "response.failed",
    response: {
      id: "r",
      status: "failed",
      error: { code: "server_error", message: "overloaded" },
      output: [],
    },
  };
  async function* provider() {
    yield { type: "response.created", response: { id: "r", status: "in_progress" } };
    yield failed;
  }
  const request = { headers: {}, content: { input: "hi" } };
  const codec = codecNamed("openai_responses");
  const stream = await driver.relay.llmStreamCallExecute("model", request, provider, { codec });
  const chunks: unknown[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  expect(chunks.at(-1)).toBe(failed);
  expect(await driver.find("model", "end")).toMatchObject({
    data: { status: "failed" },
    metadata: {
      "otel.status_code": "ERROR",
      "error.type": "relay.provider_failed",
      "otel.status_description": expect.stringContaining("overloaded"),
    },
  });
});

test("a stream that ends behind its provider's error is cut for its caller, and its end event has the provider's words", async () => {
  const driver = new Driver();
  async function* provider() {
    yield { type: "message_start", message: { id: "m", role: "assistant" } };
    yield { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
  }
  const request = { headers: {}, content: { messages: [] } };
  const codec = codecNamed("anthropic_messages");
  const stream = await driver.relay.llmStreamCallExecute("model", request, provider, { codec });
  const read = async (): Promise<void> => {
    for await (const _chunk of stream);
  };
  await expect(read()).rejects.toMatchObject({ code: "stream_truncated" });
  expect(await driver.find("model", "end")).toMatchObject({
    metadata: {
      "error.type": "relay.provider_failed",
      "otel.status_description": '"model" failed at its provider: Overloaded',
    },
  });
});

test("a response of one piece in which the provider gives up is the caller's, and its end event is an error", async () => {
  const driver = new Driver();
  const failed = {
    id: "r",
    status: "failed",
    error: { code: "server_error", message: "overloaded" },
    output: [],
  };
  const request = { headers: {}, content: { input: "hi" } };
  const codec = codecNamed("openai_responses");
  expect(await driver.relay.llmCallExecute("model", request, () => failed, { codec })).toBe(failed);
  expect(await driver.find("model", "end")).toMatchObject({
    data: { status: "failed" },
    metadata: { "error.type": "relay.provider_failed", "otel.status_code": "ERROR" },
  });
});

test("calls of custom tools, reasoning in pieces and old calls of functions are put together", () => {
  const collector = codecNamed("openai_chat").collectStream();
  const deltas = [
    {
      role: "assistant",
      content: null,
      tool_calls: [{ index: 0, id: "c", type: "custom", custom: { name: "sql", input: "sel" } }],
    },
    {
      tool_calls: [
        { index: 0, custom: { input: "ect 1" } },
        { index: 1, id: "f", function: { name: "add" } },
      ],
    },
    {
      tool_calls: [{ index: 1, function: { arguments: "{" } }],
      function_call: { name: "old", arguments: "[" },
    },
    { tool_calls: [{ index: 1, function: { arguments: "}" } }], function_call: { arguments: "]" } },
    { reasoning_details: [{ index: 0, type: "reasoning.text", text: "one ", format: "f" }] },
    {
      reasoning_details: [
        { index: 0, type: "reasoning.text", text: "two", signature: "s" },
        { index: 1, type: "reasoning.encrypted", data: "e" },
      ],
    },
    { annotations: [{ url: "a" }] },
    { annotations: [{ url: "b" }] },
  ];
  for (const delta of deltas) collector.add({ id: "x", choices: [{ index: 0, delta, finish_reason: null }] });
  collector.add({ id: "x", choices: [{ index: 0, delta: {}, finish_reason: "tool_calls" }] });
  expect(collector.end().response).toMatchObject({
    choices: [
      {
        message: {
          role: "assistant",
          content: null,
          tool_calls: [
            { id: "c", type: "custom", custom: { name: "sql", input: "select 1" } },
            { id: "f", type: "function", function: { name: "add", arguments: "{}" } },
          ],
          function_call: { name: "old", arguments: "[]" },
          reasoning_details: [
            { index: 0, type: "reasoning.text", text: "one two", format: "f", signature: "s" },
            { index: 1, type: "reasoning.encrypted", data: "e" },
          ],
          annotations: [{ url: "a" }, { url: "b" }],
        },
      },
    ],
  });
});

test("content that has itself in it is the caller's, whatever a codec makes of it", async () => {
  for (const codec of builtinCodecs) {
    const driver = new Driver();
    const content: Record<string, unknown> = { ...Object(requests[codec.name]) };
    content.self = content;
    content.metadata = { content };
    driver.relay.registerLlmRequestIntercept("edits", ({ request, annotated }) => {
      Object.assign(Object(annotated), { temperature: 0.25 });
      return { request, annotated };
    });
    const call = driver.relay.llmCallExecute("m", { headers: {}, content }, ({ content: sent }) => sent, {
      codec,
    });
    expect(await codeOf(call)).toMatch(/^(?:fulfilled|relay\.\w+)$/);
    await driver.relay.flushSubscribers();
    for (const event of driver.events) expect(() => JSON.stringify(event)).not.toThrow();
  }
});
