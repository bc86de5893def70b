/** plugin/v1: `schemas/plugin/v1/plugin.proto`. */
import { assert } from "@troupe/base";
import type { PayloadEncoding } from "../actor/payload.ts";
import { Encoding } from "../generated/plugin/v1/plugin.ts";

export type {
  Chunk,
  ChunkCredit,
  ChunkEnd,
  Hello,
  HostCall,
  HostFrame,
  HostResult,
  Invoke,
  InvokeResult,
  Log,
  MiddlewareDeclaration,
  Next,
  NextResult,
  PluginFrame,
  Ready,
} from "../generated/plugin/v1/plugin.ts";
export {
  decodeHostFrame,
  encodePluginFrame,
  HostAsk,
  HostFrame as HostFrameCodec,
  PluginFrame as PluginFrameCodec,
} from "../generated/plugin/v1/plugin.ts";
export type { HostBatch, PluginBatch } from "../generated/plugin/v1/worker.ts";
export {
  HostBatch as HostBatchCodec,
  PluginBatch as PluginBatchCodec,
} from "../generated/plugin/v1/worker.ts";

/** The one method of `schemas/plugin/v1/worker.proto`'s service. */
export const WORKER_METHOD = "/troupe.plugin.v1.WorkerHost/Attach";
/** The metadata that carries a worker's token. */
export const WORKER_TOKEN_METADATA = "troupe-token";

/** The versions of plugin/v1's session that this program speaks. */
export const PLUGIN_VERSIONS: readonly number[] = [1];

/** The kind of an Invoke that is no middleware's: code that the plugin asked its host to call. */
export const OWN_CODE = 0;

const encodings: ReadonlyMap<Encoding, PayloadEncoding> = new Map<Encoding, PayloadEncoding>([
  [Encoding.CBOR, "cbor"],
  [Encoding.JSON, "json"],
  [Encoding.RAW, "raw"],
]);

/** The encoding of its number on the wire; undefined for one that nobody knows. */
export function encodingOf(number: Encoding): PayloadEncoding | undefined {
  return encodings.get(number);
}

/** The number of an encoding on the wire. */
export function encodingNumber(encoding: PayloadEncoding): Encoding {
  for (const [number, name] of encodings) if (name === encoding) return number;
  assert(false, "each encoding has a number");
}
