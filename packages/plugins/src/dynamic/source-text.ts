/** The text of a dynamic actor's source, wherever it is. */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { type Timers, TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { readBounded } from "../bounded-file.ts";
import { dynamicErrors } from "../carriers/isolate/errors.ts";
import { within } from "../within.ts";
import { type ActorSource, checkLength, tooLong } from "./source.ts";

/**
 * Reads it. Rejects with `dynamic.source_unread` for one that isn't there, doesn't come within the time to open or isn't text,
 * `dynamic.source_too_long`, `dynamic.integrity_mismatch`.
 */
export async function textOfSource({ source, sha256 }: ActorSource, timers: Timers): Promise<string> {
  const bytes = typeof source === "string" ? Buffer.from(source) : await bytesAt(source, timers);
  if (sha256 !== undefined) checkDigest(bytes, sha256);
  if (typeof source === "string") return source;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw dynamicErrors.sourceUnread(source, "it isn't UTF-8", cause);
  }
}

async function bytesAt(source: URL, timers: Timers): Promise<Uint8Array> {
  const abort = new AbortController();
  const timeoutMs = limits.pluginOpenTimeoutMs;
  try {
    return await within(timers, timeoutMs, read(source, abort.signal), () =>
      dynamicErrors.sourceUnread(source, `it took longer than ${timeoutMs} ms`),
    );
  } catch (cause) {
    throw TroupeError.is(cause) ? cause : dynamicErrors.sourceUnread(source, String(cause), cause);
  } finally {
    // What still comes of it is nobody's.
    abort.abort();
  }
}

async function read(source: URL, signal: AbortSignal): Promise<Uint8Array> {
  if (source.protocol === "file:")
    return await readBounded(fileURLToPath(source), {
      limitBytes: limits.isolateSourceBytes,
      tooLarge: tooLong,
    });
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of await fetched(source, signal)) {
    length += chunk.byteLength;
    checkLength(length);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

async function fetched(source: URL, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  const response = await fetch(source, { signal });
  if (!response.ok) throw dynamicErrors.sourceUnread(source, `the answer is ${response.status}`);
  return response.body ?? (async function* nothing() {})();
}

function checkDigest(bytes: Uint8Array, expected: string): void {
  const actual = createHash("sha256").update(bytes).digest("hex");
  if (actual !== expected.toLowerCase()) throw dynamicErrors.integrityMismatch(expected, actual);
}
