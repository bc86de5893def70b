export type { CallContext, CallOptions } from "./calls/call-parts.ts";
export type { LlmFunction } from "./calls/llm-call.ts";
export type { LlmCodec, StreamCollector } from "./calls/llm-codec.ts";
export type { LlmCallOptions } from "./calls/llm-scope.ts";
export type { StreamSinks } from "./calls/llm-stream.ts";
export { LlmStream } from "./calls/llm-stream.ts";
export type { LlmStreamOptions } from "./calls/llm-stream-call.ts";
export type { ManualEnd, ManualLlmOptions, ManualToolOptions } from "./calls/manual-call.ts";
export type { LlmStreamFunction } from "./calls/stream-chain.ts";
export type { ToolCallOptions, ToolFunction } from "./calls/tool-call.ts";
export type {
  AnnotatedLlmRequest,
  AnnotatedLlmResponse,
  AnnotatedMessage,
  AnnotatedParams,
  AnnotatedPart,
  AnnotatedToolCall,
  AnnotatedUsage,
  CodecName,
  CostEstimate,
  FinishReason,
} from "./codecs/annotated.ts";
export type { ProviderCodec } from "./codecs/codec.ts";
export {
  AnthropicMessagesCodec,
  builtinCodecs,
  codecNamed,
  detectCodec,
  detectResponseCodec,
  GeminiGenerateContentCodec,
  OpenAIChatCodec,
  OpenAIResponsesCodec,
} from "./codecs/codecs.ts";
export type { RelayEnv } from "./env.ts";
export { isGuardrailRejected, relayErrors } from "./errors.ts";
export type {
  CategoryProfile,
  DataSchema,
  EventFields,
  Json,
  MarkEvent,
  Metadata,
  PendingMark,
  RelayEvent,
  ScopeEvent,
  Severity,
} from "./events/event.ts";
export type { Measurement } from "./events/metric.ts";
export { metricSchema } from "./events/metric.ts";
export type { ToldCall, ToldCost, ToldToolCall } from "./events/told-call.ts";
export { readCall, readFailure, readRefusal, readStopped, readToolCall } from "./events/told-call.ts";
export type { FailurePolicy, KindRow, MiddlewareKind, Phase } from "./middleware/kinds.ts";
export {
  isMiddlewareKind,
  kindRow,
  middlewareKindNames,
  middlewareKindOf,
  middlewareKinds,
} from "./middleware/kinds.ts";
export type {
  ActionPayload,
  EventSanitizePayload,
  GatedRegistration,
  LlmPayload,
  LlmRequest,
  LlmRequestInterceptOutcome,
  LlmSanitizePayload,
  MiddlewareShapes,
  ToolExecutionOutcome,
  ToolExecutionPayload,
  ToolExecutionResult,
  ToolPayload,
  ToolSanitizePayload,
  Verdict,
} from "./middleware/payloads.ts";
export type {
  AroundContext,
  ContextOf,
  GateTarget,
  MiddlewareContext,
  MiddlewareHandler,
  Registration,
  RegistrationOptions,
  RegistrationRequest,
} from "./middleware/registration.ts";
export type { RegistrationFunctions } from "./middleware/registration-functions.ts";
export type { RegistrationIdentity } from "./middleware/registry.ts";
export { textWithoutSecrets, valueWithoutSecrets } from "./redaction/secrets.ts";
export type { BeginOptions, EventOptions, PopOptions, Relay, SubscriberStatus } from "./relay.ts";
export { RelayCore, relayOn } from "./relay.ts";
export type { LazyScope } from "./scope/places.ts";
export type { PropagationContext } from "./scope/propagation.ts";
export {
  propagationContextFromJson,
  propagationContextFromTraceparent,
  propagationContextToJson,
  propagationContextToTraceparent,
} from "./scope/propagation.ts";
export { Scope } from "./scope/scope.ts";
export { scopeElsewhere } from "./scope/scope-elsewhere.ts";
export type { ScopeAttribute } from "./scope/scope-type.ts";
export { ScopeType } from "./scope/scope-type.ts";
export type { ScopeOptions } from "./scope/scopes.ts";
export type { SubscriberFigures } from "./subscribers/subscriber-queue.ts";
