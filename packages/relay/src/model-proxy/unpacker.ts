/** Unpacker: what takes the packing off a body, by the name of its encoding. */
import type { Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";

/** Undefined: nothing has to be unpacked. */
export type Unpacker = Transform | undefined | "unknown";

/** What unpacks a body; undefined: nothing has to. */
export function unpackerOf(encoding: string | readonly string[] | undefined): Unpacker {
  switch (String(encoding ?? "identity").toLowerCase()) {
    case "identity":
      return undefined;
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    case "br":
      return createBrotliDecompress();
    case "zstd":
      return createZstdDecompress();
    default:
      return "unknown";
  }
}
