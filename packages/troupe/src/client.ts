export { TroupeError } from "@troupe/base";
export type {
  ActionCall,
  ActorConn,
  ActorConnStatus,
  ActorHandle,
  ActorKey,
  BackoffPolicy,
  Client,
  ClientConfig,
  CreateOptions,
  EventUnsubscribe,
  ExtractActorsFromRegistry,
  Gap,
  GetOptions,
  GetOrCreateOptions,
  GetWithIdOptions,
  QueryOptions,
  ReconnectPolicy,
  Registry,
  RetryPolicy,
} from "@troupe/client";
export { createClient } from "@troupe/client";
