/** host/v1: `schemas/host/v1/host.proto`. */

export type {
  Acknowledge,
  Drain,
  EngineToHost,
  Heartbeat,
  Hello as HostHello,
  HostToEngine,
  Refused,
  Resume as HostResume,
  Welcome as HostWelcome,
} from "../generated/host/v1/host.ts";
export {
  decodeEngineToHost,
  decodeHostToEngine,
  EngineToHost as EngineToHostCodec,
  encodeEngineToHost,
  encodeHostToEngine,
  HostToEngine as HostToEngineCodec,
} from "../generated/host/v1/host.ts";
