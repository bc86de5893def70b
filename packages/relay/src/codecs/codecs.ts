/** The codecs in the box, by class, by name and by what a payload looks like. */
import { relayErrors } from "../errors.ts";
import type { CodecName } from "./annotated.ts";
import { MessagesAssembly } from "./anthropic/assembly.ts";
import * as anthropicRequest from "./anthropic/request.ts";
import * as anthropicResponse from "./anthropic/response.ts";
import type { ProviderCodec } from "./codec.ts";
import { GeminiAssembly } from "./gemini/assembly.ts";
import * as geminiRequest from "./gemini/request.ts";
import * as geminiResponse from "./gemini/response.ts";
import { isList, objectsOf, own } from "./json.ts";
import { ChatAssembly } from "./openai-chat/assembly.ts";
import * as chatRequest from "./openai-chat/request.ts";
import * as chatResponse from "./openai-chat/response.ts";
import { ResponsesAssembly } from "./openai-responses/assembly.ts";
import * as responsesRequest from "./openai-responses/request.ts";
import * as responsesResponse from "./openai-responses/response.ts";
import { PartsCodec } from "./provider-codec.ts";

/** OpenAI's `/v1/chat/completions`, and what speaks it. */
export class OpenAIChatCodec extends PartsCodec {
  constructor() {
    super({
      ...chatRequest,
      ...chatResponse,
      name: "openai_chat",
      assembly: () => new ChatAssembly(),
      isRequest: (content) => isList(own(content, "messages")),
      isResponse: (response) => isList(own(response, "choices")),
    });
  }
}

/** OpenAI's `/v1/responses`. */
export class OpenAIResponsesCodec extends PartsCodec {
  constructor() {
    super({
      ...responsesRequest,
      ...responsesResponse,
      name: "openai_responses",
      assembly: () => new ResponsesAssembly(),
      isRequest: (content) => Object.hasOwn(content, "input") && !Object.hasOwn(content, "messages"),
      isResponse: (response) => response.object === "response" || isList(own(response, "output")),
    });
  }
}

const anthropicFields = ["system", "stop_sequences", "anthropic_version", "thinking", "top_k"];
const anthropicBlocks: readonly unknown[] = ["tool_use", "tool_result", "image", "document", "thinking"];

/** Anthropic's `/v1/messages`. */
export class AnthropicMessagesCodec extends PartsCodec {
  constructor() {
    super({
      ...anthropicRequest,
      ...anthropicResponse,
      name: "anthropic_messages",
      assembly: () => new MessagesAssembly(),
      // A request that says nothing but model, messages and max_tokens may be either's; then it is OpenAI's.
      isRequest: (content) =>
        isList(own(content, "messages")) &&
        (anthropicFields.some((field) => Object.hasOwn(content, field)) ||
          objectsOf(own(content, "tools")).some((tool) => Object.hasOwn(tool, "input_schema")) ||
          objectsOf(own(content, "messages"))
            .flatMap((message) => objectsOf(own(message, "content")))
            .some(({ type }) => anthropicBlocks.includes(type))),
      isResponse: (response) => response.type === "message" && isList(own(response, "content")),
    });
  }
}

/** Gemini's `generateContent` and `streamGenerateContent`. */
export class GeminiGenerateContentCodec extends PartsCodec {
  constructor() {
    super({
      ...geminiRequest,
      ...geminiResponse,
      name: "gemini_generate_content",
      assembly: () => new GeminiAssembly(),
      isRequest: (content) => isList(own(content, "contents")),
      isResponse: (response) => isList(own(response, "candidates")),
    });
  }
}

/** The codecs in the box, in the order in which they are tried. */
export const builtinCodecs: readonly ProviderCodec[] = [
  new OpenAIResponsesCodec(),
  new AnthropicMessagesCodec(),
  new OpenAIChatCodec(),
  new GeminiGenerateContentCodec(),
];

/** Throws `relay.codec_unknown`. */
export function codecNamed(name: CodecName | (string & {})): ProviderCodec {
  const codec = builtinCodecs.find((one) => one.name === name);
  if (codec === undefined)
    throw relayErrors.codecUnknown(
      typeof name === "string" ? name : "of no name",
      builtinCodecs.map((one) => one.name),
    );
  return codec;
}

/** The codec whose request `content` looks like; undefined for none. */
export function detectCodec(content: unknown): ProviderCodec | undefined {
  return builtinCodecs.find((codec) => codec.recognises(content));
}

/** The codec whose response this looks like; undefined for none. */
export function detectResponseCodec(response: unknown): ProviderCodec | undefined {
  return builtinCodecs.find((codec) => codec.recognisesResponse(response));
}
