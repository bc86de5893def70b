/**
 * gRPC, as host and worker use it: one method, a stream each way. The package is imported on first use, so that a
 * program without worker plugins needs none of it.
 */
import type {
  ChannelOptions,
  ClientDuplexStream,
  ServerDuplexStream,
  ServiceDefinition,
} from "@grpc/grpc-js";
import { engineLimits } from "@troupe/protocol";
import {
  type HostBatch,
  HostBatchCodec,
  type PluginBatch,
  PluginBatchCodec,
  WORKER_METHOD,
} from "@troupe/protocol/plugin/v1";
import { packageErrors } from "../../errors.ts";

/** The package. */
export type Grpc = typeof import("@grpc/grpc-js");

/** The host's side of a worker's stream. */
export type HostStream = ServerDuplexStream<PluginBatch, HostBatch>;
/** The worker's side of it. */
export type WorkerStream = ClientDuplexStream<PluginBatch, HostBatch>;

/** Throws `package.missing`. */
export async function importGrpc(): Promise<Grpc> {
  try {
    return await import("@grpc/grpc-js");
  } catch (cause) {
    throw packageErrors.missing("@grpc/grpc-js", "A worker plugin", cause);
  }
}

/** `schemas/plugin/v1/worker.proto`, as the package wants it. */
export const workerService = {
  attach: {
    path: WORKER_METHOD,
    requestStream: true,
    responseStream: true,
    requestSerialize: (batch: PluginBatch) => bufferOf(PluginBatchCodec.encode(batch)),
    requestDeserialize: (bytes: Buffer) => PluginBatchCodec.decode(bytes),
    responseSerialize: (batch: HostBatch) => bufferOf(HostBatchCodec.encode(batch)),
    responseDeserialize: (bytes: Buffer) => HostBatchCodec.decode(bytes),
  },
} satisfies ServiceDefinition;

/** Both sides' channel: its limit is ours, and nothing pings or retries behind our back. */
export const channelOptions: ChannelOptions = {
  "grpc.max_receive_message_length": engineLimits.workerMessageBytes,
  "grpc.max_send_message_length": engineLimits.workerMessageBytes,
  "grpc.enable_retries": 0,
};

/** The same bytes, not copied. */
function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
