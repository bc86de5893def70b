/**
 * Annotated requests and responses: what a call of a model says, in the same words for every provider.
 *
 * Names and shapes are those of the format; what has no place in it stands under its own name, on the request itself or in
 * `api_specific`, and messages or parts that no other provider has are `provider_native` with the provider's own value.
 */
import type { Json } from "../events/event.ts";

/** The names of the codecs in the box, as they stand in configurations and in `api_specific.api`. */
export type CodecName = "openai_chat" | "openai_responses" | "anthropic_messages" | "gemini_generate_content";

/**
 * Fields of a provider's own. Not an index signature beside the others: whose compiler takes an optional field for one that
 * may be undefined would refuse these types.
 */
interface Fields {
  readonly [field: string]: Json;
}

/** A message, or an item that stands in its place. Further fields are the provider's. */
export type AnnotatedMessage = {
  /**
   * system, user, developer, assistant, tool, function; tool_call and tool_result where they are items of their own;
   * provider_native for what no other provider has.
   */
  readonly role: string;
  /** Left out where the provider has none. */
  readonly content?: string | readonly AnnotatedPart[];
} & Fields;

/** A part of a message: text, image_url, image, audio, file, refusal, tool_use, tool_result, provider_native. */
export interface AnnotatedPart {
  readonly type: string;
  readonly [field: string]: Json;
}

/** How the model shall answer. */
export type AnnotatedParams = {
  readonly temperature?: number;
  readonly max_tokens?: number;
  readonly top_p?: number;
  readonly stop?: readonly string[];
};

/** A request to a model. Fields that aren't named here are the provider's own. */
export type AnnotatedLlmRequest = {
  readonly messages: readonly AnnotatedMessage[];
  /** What the provider keeps apart from the messages: a text, or its own blocks. */
  readonly instructions?: Json;
  readonly model?: string;
  readonly params?: AnnotatedParams;
  /** `{ type: "function", function: { name, description, parameters } }`, or `provider_native`. */
  readonly tools?: readonly Json[];
  /** "auto", "none", "required", or `{ type: "function", function: { name } }`. */
  readonly tool_choice?: Json;
  readonly stream?: boolean;
  /** What only this API has. */
  readonly api_specific?: { readonly api: CodecName; readonly [field: string]: Json };
} & Fields;

/** Why a model stopped. */
export type FinishReason = "complete" | "length" | "tool_use" | "content_filter" | "unknown";

/** A call of a tool that a model asks for. */
export type AnnotatedToolCall = {
  readonly id: string;
  readonly name: string;
  /** Parsed; a text that isn't JSON stays a text. */
  readonly arguments: Json;
};

/** What a call cost, by the prices of `pricing_source`. */
export type CostEstimate = {
  /** Left out when a kind of token was used whose rate nobody knows. */
  readonly total?: number;
  readonly input?: number;
  readonly output?: number;
  readonly cache_read?: number;
  readonly cache_write?: number;
  readonly currency: string;
  readonly source: "model_pricing";
  readonly pricing_provider: string;
  readonly pricing_model: string;
  readonly pricing_as_of: string;
  readonly pricing_source: string;
};

/** Tokens of a call, as the provider counted them in its last word on the matter. */
export type AnnotatedUsage = {
  /** As the provider counts: with cached tokens in it or, at Anthropic's, without. */
  readonly prompt_tokens?: number;
  readonly completion_tokens?: number;
  readonly total_tokens?: number;
  readonly cache_read_tokens?: number;
  readonly cache_write_tokens?: number;
  /** Tokens of the prompt that were neither read from a cache nor written to one. */
  readonly uncached_input_tokens?: number;
  readonly cost?: CostEstimate;
};

/** A response of a model. Fields that aren't named here are the provider's own. */
export type AnnotatedLlmResponse = {
  readonly id?: string;
  readonly model?: string;
  /** The text of the answer. */
  readonly message?: string;
  readonly tool_calls?: readonly AnnotatedToolCall[];
  readonly finish_reason?: FinishReason;
  readonly usage?: AnnotatedUsage;
  readonly api_specific?: { readonly api: CodecName; readonly [field: string]: Json };
} & Fields;
