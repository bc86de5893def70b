export type { Encoding } from "@troupe/protocol";
export type { BackoffPolicy } from "./backoff.ts";
export { createClientOver } from "./client.ts";
export type { ClientConfig } from "./config.ts";
export type { ReconnectPolicy } from "./connection/reconnect.ts";
export type {
  ActionStream,
  ActionsOf,
  ActionTreeOf,
  ActorActionFunction,
  ActorContract,
  ActorStreamFunction,
  AnyActorDefinition,
  EventArgsOf,
  EventNameOf,
  ExtractActorsFromRegistry,
  InputOf,
  ParamsOf,
  QueueBodyOf,
  QueueNameOf,
  QueueReplyOf,
  Registry,
  UntypedAction,
} from "./contract.ts";
export { createClient } from "./create-client.ts";
export type {
  ClientEnv,
  FetchAnswer,
  FetchInit,
  FetchPort,
  WebSocketConstructor,
  WebSocketPort,
  WebSocketPortEvent,
} from "./env.ts";
export type { CallOutcome } from "./errors.ts";
export { clientErrors, messageErrors } from "./errors.ts";
export { actorUrl, rawAddress } from "./http/address.ts";
export { platformEnv } from "./platform.ts";
export type {
  SocketCloseEvent,
  SocketEvent,
  SocketEvents,
  SocketListener,
  SocketMessageEvent,
  UniversalWebSocket,
} from "./raw/universal-web-socket.ts";
export { isShadowed, reservedPart } from "./reserved-names.ts";
export type { RetryPolicy } from "./retry.ts";
export { ActionResult } from "./stream/action-result.ts";
export { ItemQueue, type ItemSender } from "./stream/item-queue.ts";
export type { ItemSource } from "./stream/item-source.ts";
export { ResultStream } from "./stream/result-stream.ts";
export type {
  ActorTarget,
  ClientLink,
  ClientLinkHandler,
  ClientTransport,
  IdTarget,
  KeyTarget,
  QueueSend,
  RawFetchOptions,
  RawSocketOptions,
  RawTransport,
  TransportCallOptions,
  TransportConnectOptions,
} from "./transport.ts";
export type {
  ActionCall,
  ActorAccessor,
  ActorActionOptions,
  ActorConn,
  ActorConnectOptions,
  ActorConnRaw,
  ActorConnStatus,
  ActorFetchInit,
  ActorGatewayOptions,
  ActorHandle,
  ActorHandleRaw,
  ActorKey,
  ActorWebSocketOptions,
  CallAction,
  Client,
  ClientRaw,
  ConnectionStateCallback,
  CreateOptions,
  EventUnsubscribe,
  ExtractRegistryFromClient,
  Gap,
  GetOptions,
  GetOrCreateOptions,
  GetWithIdOptions,
  QueryOptions,
  QueueSender,
  QueueSendNoWaitOptions,
  QueueSendOptions,
  QueueSendResult,
  QueueSendWaitOptions,
  StatusChangeCallback,
} from "./types.ts";
