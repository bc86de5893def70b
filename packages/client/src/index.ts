export type { BackoffPolicy } from "./backoff.ts";
export { createClient } from "./client.ts";
export type { ClientConfig } from "./config.ts";
export type { ReconnectPolicy } from "./connection/reconnect.ts";
export type {
  ActionsOf,
  ActionTreeOf,
  ActorActionFunction,
  ActorContract,
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
export { platformEnv } from "./platform.ts";
export type {
  SocketCloseEvent,
  SocketEvent,
  SocketEvents,
  SocketListener,
  SocketMessageEvent,
  UniversalWebSocket,
} from "./raw/universal-web-socket.ts";
export type { RetryPolicy } from "./retry.ts";
export type {
  ActorTarget,
  ClientLink,
  ClientLinkHandler,
  ClientTransport,
  IdTarget,
  KeyTarget,
  QueueSend,
  RawSocketOptions,
  RawTransport,
  TransportCallOptions,
  TransportConnectOptions,
} from "./transport.ts";
export type {
  ActionCall,
  ActorAccessor,
  ActorConn,
  ActorConnRaw,
  ActorConnStatus,
  ActorHandle,
  ActorHandleRaw,
  ActorKey,
  Client,
  ClientRaw,
  CreateOptions,
  EventUnsubscribe,
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
} from "./types.ts";
