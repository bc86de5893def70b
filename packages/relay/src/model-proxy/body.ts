/** Bodies of requests, read whole: guardrails are asked before anything goes on. */
import type { Readable } from "node:stream";
import { proxyErrors } from "./errors.ts";

/** The bytes of a body. Throws `gateway.body_too_large`; the rest of it isn't read then. */
export function readBody(request: Readable, limit: number): Promise<Buffer> {
  // By events: an iterator of a stream costs more than most bodies.
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const take = (chunk: Buffer): void => {
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes <= limit) return;
    request.off("data", take).pause();
    chunks.length = 0;
    reject(proxyErrors.bodyTooLarge(limit));
  };
  request.on("data", take);
  request.once("end", () => resolve(Buffer.concat(chunks)));
  request.once("error", reject);
  request.once("close", () => reject(proxyErrors.bodyCut()));
  return promise;
}

/** A body as the middleware sees it: what its JSON says, or nothing when it isn't JSON or is compressed. */
export function contentOf(body: Uint8Array, encoding: string | undefined): unknown {
  if (encoding !== undefined && encoding !== "identity") return null;
  try {
    return JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    return null;
  }
}
