import type { ServerResponse } from "node:http";
import type { ByteSource } from "../ports/raw.ts";

/** Sends a body as it comes, and reads no faster than the client takes it. Never rejects. */
export async function sendStream(response: ServerResponse, source: ByteSource): Promise<void> {
  response.on("close", () => {
    if (!response.writableFinished) source.cancel();
  });
  // Nobody to tell: `close` follows.
  response.on("error", () => {});
  response.flushHeaders();
  try {
    for (let bytes = await source.read(); bytes !== undefined; bytes = await source.read()) {
      const chunk = bytes;
      if (response.destroyed) return;
      await new Promise<void>((written) => void response.write(chunk, () => written()));
    }
    response.end();
  } catch {
    response.destroy();
  }
}
