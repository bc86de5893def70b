/** Packing: how a body is packed, and what takes that off it, whole or while it comes, by the name of its encoding. */
import type { Transform } from "node:stream";
import { promisify } from "node:util";
import {
  brotliDecompress,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
  gunzip,
  inflate,
  zstdDecompress,
} from "node:zlib";

/** One way of packing. */
export interface Packing {
  /** Unpacks bytes while they come. */
  readonly unpacker: () => Transform;
  /** Unpacks all of them. Fails where it would be more than `maxOutputLength`. */
  readonly unpack: (bytes: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>;
}

const gzip: Packing = { unpacker: createGunzip, unpack: promisify(gunzip) };

const packings: ReadonlyMap<string, Packing> = new Map<string, Packing>([
  ["gzip", gzip],
  ["x-gzip", gzip],
  ["deflate", { unpacker: createInflate, unpack: promisify(inflate) }],
  ["br", { unpacker: createBrotliDecompress, unpack: promisify(brotliDecompress) }],
  ["zstd", { unpacker: createZstdDecompress, unpack: promisify(zstdDecompress) }],
]);

/** What is said of a body that isn't packed; the last three by servers that take the header for a charset's. */
const unpacked: ReadonlySet<string> = new Set(["", "identity", "none", "utf-8", "utf8"]);

/** How a body is packed, by its header; undefined: it isn't; "unknown": nobody here unpacks it. */
export function packingOf(encoding: string | readonly string[] | undefined): Packing | undefined | "unknown" {
  const name = String(encoding ?? "")
    .trim()
    .toLowerCase();
  if (unpacked.has(name)) return undefined;
  return packings.get(name) ?? "unknown";
}
