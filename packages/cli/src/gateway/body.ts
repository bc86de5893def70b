/** Bodies of requests, read whole: guardrails are asked before anything goes on. */
import type { Readable } from "node:stream";
import { requestErrors } from "../errors.ts";

/** The bytes of a body. Throws `gateway.body_too_large`; the rest of it isn't read then. */
export async function readBody(request: Readable, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length;
    if (bytes > limit) throw requestErrors.bodyTooLarge(limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
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
