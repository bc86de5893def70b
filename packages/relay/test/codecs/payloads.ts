/** One request and one response of each provider, as they come over the wire, with fields that no codec knows. */
import type { CodecName, LlmRequest } from "@troupe/relay";

const chat = {
  model: "gpt-4o",
  messages: [
    { role: "system", content: "s" },
    {
      role: "user",
      name: "bob",
      content: [
        { type: "text", text: "hi" },
        { type: "image_url", image_url: { url: "http://x", detail: "low" } },
        { type: "input_audio", input_audio: { data: "AA", format: "wav" } },
        { type: "file", file: { file_id: "f" } },
        { type: "weird", z: 1 },
      ],
    },
    {
      role: "assistant",
      content: null,
      refusal: null,
      tool_calls: [{ id: "c1", type: "function", function: { name: "f", arguments: '{"a":1}' } }],
    },
    { role: "tool", tool_call_id: "c1", content: "r" },
  ],
  temperature: 0.5,
  max_tokens: 10,
  max_completion_tokens: 11,
  top_p: 0.1,
  stop: ["x"],
  tools: [{ type: "function", function: { name: "f", description: "d", parameters: { type: "object" } } }],
  tool_choice: "auto",
  stream: true,
  stream_options: { include_usage: true },
  user: "u",
  store: true,
  seed: 1,
  response_format: { type: "json_object" },
  zzz: { q: 1 },
};

const responses = {
  model: "gpt-5",
  instructions: "be",
  input: [
    {
      role: "user",
      content: [
        { type: "input_text", text: "hi" },
        { type: "input_image", image_url: "http://x" },
        { type: "input_file", file_id: "f" },
      ],
    },
    {
      type: "message",
      role: "assistant",
      id: "m",
      status: "completed",
      content: [{ type: "output_text", text: "yo", annotations: [] }],
    },
    {
      type: "function_call",
      call_id: "c",
      id: "fc",
      name: "f",
      arguments: '{ "a" : 1}',
      status: "completed",
    },
    { type: "function_call_output", call_id: "c", output: "42" },
    { type: "reasoning", id: "r", summary: [] },
  ],
  tools: [
    { type: "function", name: "f", parameters: { type: "object" }, strict: true },
    { type: "web_search" },
  ],
  tool_choice: { type: "function", name: "f" },
  max_output_tokens: 5,
  temperature: 1,
  store: false,
  previous_response_id: "p",
  reasoning: { effort: "low" },
  include: ["x"],
  text: { format: { type: "text" } },
  zz: 1,
};

const anthropic = {
  model: "claude-x",
  max_tokens: 100,
  system: [{ type: "text", text: "sys", cache_control: { type: "ephemeral" } }],
  messages: [
    { role: "user", content: "hi" },
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: "hm", signature: "s" },
        { type: "text", text: "t" },
        { type: "tool_use", id: "tu", name: "f", input: { a: 1 } },
      ],
    },
    {
      role: "user",
      content: [
        { type: "tool_result", tool_use_id: "tu", content: "42", is_error: false },
        { type: "image", source: { type: "url", url: "u" } },
        { type: "document", source: { type: "text", media_type: "text/plain", data: "d" }, title: "t" },
      ],
    },
  ],
  stop_sequences: ["x"],
  temperature: 0.3,
  top_p: 0.9,
  top_k: 5,
  tools: [
    { name: "f", description: "d", input_schema: { type: "object" }, cache_control: { type: "ephemeral" } },
    { type: "web_search_20250305", name: "web_search" },
  ],
  tool_choice: { type: "tool", name: "f", disable_parallel_tool_use: true },
  metadata: { user_id: "u" },
  stream: true,
  thinking: { type: "enabled", budget_tokens: 1024 },
  zz: 1,
};

const gemini = {
  model: "gemini-2",
  systemInstruction: { parts: [{ text: "sys" }] },
  contents: [
    { role: "user", parts: [{ text: "hi" }, { inlineData: { mimeType: "image/png", data: "AA" } }] },
    { role: "model", parts: [{ functionCall: { name: "f", args: { a: 1 }, id: "x" } }] },
    { role: "user", parts: [{ functionResponse: { name: "f", response: { r: 1 } } }] },
  ],
  generationConfig: {
    temperature: 0.1,
    topP: 0.2,
    topK: 3,
    maxOutputTokens: 9,
    stopSequences: ["z"],
    newKnob: 1,
  },
  tools: [
    { functionDeclarations: [{ name: "f", description: "d", parameters: { type: "OBJECT" } }] },
    { googleSearch: {} },
  ],
  toolConfig: { functionCallingConfig: { mode: "AUTO" } },
  safetySettings: [],
  cachedContent: "cc",
  zz: 1,
};

/** The contents of requests by codec. */
export const requests: Readonly<Record<CodecName, LlmRequest["content"] & object>> = {
  openai_chat: chat,
  openai_responses: responses,
  anthropic_messages: anthropic,
  gemini_generate_content: gemini,
};

/** Responses by codec. */
export const answers = {
  openai_chat: {
    id: "i",
    object: "chat.completion",
    created: 1,
    model: "gpt-4o-1",
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: "hey",
          refusal: null,
          tool_calls: [{ id: "c1", type: "function", function: { name: "f", arguments: '{"a":1}' } }],
        },
        logprobs: null,
        finish_reason: "tool_calls",
      },
    ],
    usage: {
      prompt_tokens: 10,
      completion_tokens: 5,
      total_tokens: 15,
      prompt_tokens_details: { cached_tokens: 4, audio_tokens: 0 },
    },
    system_fingerprint: "fp",
    service_tier: "default",
    zzz: 1,
  },
  openai_responses: {
    id: "r",
    object: "response",
    created_at: 1,
    status: "completed",
    model: "gpt-5-x",
    output: [
      { type: "reasoning", id: "rs", summary: [] },
      { type: "message", id: "m", role: "assistant", content: [{ type: "output_text", text: "yo" }] },
      { type: "function_call", call_id: "c", id: "fc", name: "f", arguments: '{"a":2}' },
    ],
    usage: {
      input_tokens: 10,
      input_tokens_details: { cached_tokens: 3 },
      output_tokens: 4,
      output_tokens_details: { reasoning_tokens: 2 },
      total_tokens: 14,
    },
    zz: 1,
  },
  anthropic_messages: {
    id: "msg",
    type: "message",
    role: "assistant",
    model: "claude-x",
    content: [
      { type: "thinking", thinking: "hm", signature: "s" },
      { type: "text", text: "t" },
      { type: "text", text: "u" },
      { type: "tool_use", id: "tu", name: "f", input: { a: 1 } },
    ],
    stop_reason: "tool_use",
    stop_sequence: null,
    usage: {
      input_tokens: 10,
      cache_creation_input_tokens: 3,
      cache_read_input_tokens: 2,
      output_tokens: 5,
    },
    zz: 1,
  },
  gemini_generate_content: {
    candidates: [
      {
        content: {
          role: "model",
          parts: [
            { text: "think", thought: true },
            { text: "yo" },
            { functionCall: { name: "f", args: { a: 1 } } },
          ],
        },
        finishReason: "STOP",
        index: 0,
        safetyRatings: [],
      },
    ],
    usageMetadata: {
      promptTokenCount: 10,
      candidatesTokenCount: 5,
      totalTokenCount: 18,
      cachedContentTokenCount: 4,
      thoughtsTokenCount: 3,
    },
    modelVersion: "gemini-2-x",
    responseId: "rid",
    zz: 1,
  },
} as const;
