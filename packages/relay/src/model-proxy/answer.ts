/** Answers that the gateway gives itself. */
import type { ServerResponse } from "node:http";

/** Sends JSON, unless an answer has begun: then the connection is cut, so that nobody takes half of it for all. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}
