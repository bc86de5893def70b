/**
 * What each kind of middleware gets and answers. All of it but `next` is plain data when the call's own payload is, so
 * that a session with a plugin can carry it over a wire.
 */
import type { EventFields, Json, PendingMark, RelayEvent } from "../events/event.ts";

/** A registration that a gate is asked about. */
export interface GatedRegistration {
  readonly kind: string;
  readonly name: string;
}

/** A call of an actor's action. */
export interface ActionPayload {
  /** The actor's name in the registry. */
  readonly actor: string;
  readonly actorId: string;
  readonly key: readonly string[];
  readonly action: string;
  readonly args: readonly unknown[];
  /** True for a message to a queue: `action` is the queue's name. */
  readonly message: boolean;
}

/** A request to a model. Headers and content are the provider's. */
export interface LlmRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly content: unknown;
}

/** What a tool answers. The annotation goes into the end event's profile, and to the caller. */
export interface ToolExecutionResult {
  readonly result: unknown;
  readonly annotation?: unknown;
}

/** What an execution intercept of tools answers. */
export interface ToolExecutionOutcome extends ToolExecutionResult {
  /** Emitted behind the call's end event, unless the call fails. */
  readonly pendingMarks?: readonly PendingMark[];
}

/** What a request intercept of models answers. */
export interface LlmRequestInterceptOutcome {
  /** Where the call has a codec its content must be the one that was given: change `annotated` instead. */
  readonly request: LlmRequest;
  /** What becomes of the request, in the words of the call's codec. Default: as it was. */
  readonly annotated?: unknown;
  /** Emitted behind the call's start event. */
  readonly pendingMarks?: readonly PendingMark[];
}

/** A call of a tool, as guardrails and request intercepts see it. */
export interface ToolPayload {
  readonly toolName: string;
  readonly args: unknown;
}

/** A call of a tool, as execution intercepts see it. */
export interface ToolExecutionPayload extends ToolPayload {
  readonly toolCallId: string | null;
}

/** The event's copy of a tool's arguments or result. */
export interface ToolSanitizePayload {
  readonly toolName: string;
  readonly value: Json;
}

/** A call of a model. */
export interface LlmPayload {
  readonly name: string;
  readonly request: LlmRequest;
  /** The request as the call's codec reads it; null without one. Request intercepts alone. */
  readonly annotated?: unknown;
}

/** The event's copy of a request to a model, or of its response. */
export interface LlmSanitizePayload {
  readonly name: string;
  readonly value: Json;
}

/** An event and the fields of it that may be rewritten. */
export interface EventSanitizePayload {
  readonly event: RelayEvent;
  readonly fields: EventFields;
  /** True when `data` is what the sanitizers of its call, a tool's or a model's, have made of it. */
  readonly payloadSanitized: boolean;
}

/** Null or undefined: go on. A text: the reason why not. */
export type Verdict = string | null | undefined;

/** For each kind, the payload and the answer; `next` where the middleware goes around the rest of the call. */
export interface MiddlewareShapes {
  subscriber: { payload: RelayEvent; answer: unknown };
  conditional_middleware_guardrail: { payload: GatedRegistration; answer: Verdict };
  event_metadata_injector: { payload: RelayEvent; answer: Readonly<Record<string, unknown>> };
  mark_sanitize_guardrail: { payload: EventSanitizePayload; answer: EventFields };
  scope_sanitize_start_guardrail: { payload: EventSanitizePayload; answer: EventFields };
  scope_sanitize_end_guardrail: { payload: EventSanitizePayload; answer: EventFields };
  tool_sanitize_request_guardrail: { payload: ToolSanitizePayload; answer: unknown };
  tool_sanitize_response_guardrail: { payload: ToolSanitizePayload; answer: unknown };
  tool_conditional_execution_guardrail: { payload: ToolPayload; answer: Verdict };
  tool_request_intercept: { payload: ToolPayload; answer: unknown };
  tool_execution_intercept: {
    payload: ToolExecutionPayload;
    answer: ToolExecutionOutcome;
    next: (args: unknown) => Promise<ToolExecutionResult>;
  };
  llm_sanitize_request_guardrail: { payload: LlmSanitizePayload; answer: unknown };
  llm_sanitize_response_guardrail: { payload: LlmSanitizePayload; answer: unknown };
  llm_conditional_execution_guardrail: { payload: LlmPayload; answer: Verdict };
  llm_request_intercept: { payload: LlmPayload; answer: LlmRequestInterceptOutcome };
  llm_execution_intercept: {
    payload: LlmPayload;
    answer: unknown;
    next: (request: LlmRequest) => Promise<unknown>;
  };
  llm_stream_execution_intercept: {
    payload: LlmPayload;
    answer: AsyncIterable<unknown>;
    next: (request: LlmRequest) => Promise<AsyncIterable<unknown>>;
  };
  action_conditional_execution_guardrail: { payload: ActionPayload; answer: Verdict };
}
