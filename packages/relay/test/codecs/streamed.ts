/** One stream of each provider, which says a text and asks for a tool. */
import type { CodecName } from "@troupe/relay";

export interface Streamed {
  readonly name: CodecName;
  readonly chunks: readonly unknown[];
  /** How many of the chunks are enough for the answer to be whole. */
  readonly enough: number;
  readonly message: string;
  readonly prompt: number;
  readonly completion: number;
}

const chatChunk = (delta: object, finish_reason: string | null = null) => ({
  id: "c",
  object: "chat.completion.chunk",
  model: "gpt-4o",
  choices: [{ index: 0, delta, finish_reason }],
  usage: null,
});
const fn = (part: object) => ({ tool_calls: [{ index: 0, ...part }] });
const usage = { prompt_tokens: 7, completion_tokens: 9, total_tokens: 16 };

/** What each comes to: "hey", `f({ a: 1 })` with the id "t", 7 tokens in and 9 out. */
export const streams: readonly Streamed[] = [
  {
    name: "openai_chat",
    chunks: [
      chatChunk({ role: "assistant", content: "he" }),
      chatChunk({ content: "y" }),
      chatChunk(fn({ id: "t", type: "function", function: { name: "f", arguments: '{"a"' } })),
      chatChunk(fn({ function: { arguments: ":1}" } })),
      chatChunk({}, "tool_calls"),
      { ...chatChunk({}), choices: [], usage },
    ],
    enough: 5,
    message: "hey",
    prompt: 7,
    completion: 9,
  },
  {
    name: "openai_responses",
    chunks: [
      { type: "response.created", response: { id: "r", model: "gpt-5", status: "in_progress", output: [] } },
      { type: "response.output_text.delta", output_index: 0, delta: "hey" },
      {
        type: "response.completed",
        response: {
          id: "r",
          model: "gpt-5",
          status: "completed",
          output: [
            { type: "message", role: "assistant", content: [{ type: "output_text", text: "hey" }] },
            { type: "function_call", call_id: "t", name: "f", arguments: '{"a":1}' },
          ],
          usage: { input_tokens: 7, output_tokens: 9, total_tokens: 16 },
        },
      },
    ],
    enough: 3,
    message: "hey",
    prompt: 7,
    completion: 9,
  },
  {
    name: "anthropic_messages",
    chunks: [
      {
        type: "message_start",
        message: {
          id: "m",
          type: "message",
          role: "assistant",
          content: [],
          usage: { input_tokens: 7, output_tokens: 1 },
        },
      },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      { type: "ping" },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "he" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "y" } },
      { type: "content_block_stop", index: 0 },
      {
        type: "content_block_start",
        index: 1,
        content_block: { type: "tool_use", id: "t", name: "f", input: {} },
      },
      { type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json: '{"a"' } },
      { type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json: ":1}" } },
      { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 9 } },
      { type: "message_stop" },
    ],
    enough: 11,
    message: "hey",
    prompt: 7,
    completion: 9,
  },
  {
    name: "gemini_generate_content",
    chunks: [
      {
        candidates: [{ content: { role: "model", parts: [{ text: "he" }] } }],
        usageMetadata: { promptTokenCount: 7 },
      },
      { candidates: [{ content: { role: "model", parts: [{ text: "y" }] } }] },
      {
        candidates: [
          {
            content: { role: "model", parts: [{ functionCall: { id: "t", name: "f", args: { a: 1 } } }] },
            finishReason: "STOP",
          },
        ],
        usageMetadata: { promptTokenCount: 7, candidatesTokenCount: 9, totalTokenCount: 16 },
      },
    ],
    enough: 3,
    message: "hey",
    prompt: 7,
    completion: 9,
  },
];
