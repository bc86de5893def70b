/** Bodies of requests, read whole: guardrails are asked before anything goes on. */
import type { Readable } from "node:stream";
import { proxyErrors } from "./errors.ts";

const nothing = Buffer.alloc(0);

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
  let ended = false;
  request.once("end", () => {
    ended = true;
    resolve(chunks.length === 1 ? (chunks[0] ?? nothing) : Buffer.concat(chunks));
  });
  request.once("error", reject);
  // Behind each end, too: an error takes longer to make than all of this.
  request.once("close", () => ended || reject(proxyErrors.bodyCut()));
  return promise;
}

/** A body as the middleware sees it: what its JSON says, or nothing when it isn't JSON or is compressed. */
export function contentOf(body: Buffer, encoding: string | undefined): unknown {
  if (encoding !== undefined && encoding !== "identity") return null;
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return null;
  }
}
