/**
 * What Node and ws answer by themselves, said as everything else is: requests that aren't HTTP, headers that are too long,
 * and handshakes of WebSockets that aren't any. There is no request yet, so the answer is written as bytes.
 */
import { type Server, ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { TroupeError } from "@troupe/base";
import type { WebSocketServer } from "ws";
import { serverErrors } from "../errors.ts";
import type { GatewayResponse } from "../gateway/http-message.ts";

/** Makes the answer to a refused request. */
export type Refuse = (error: TroupeError) => GatewayResponse;

/** Answers requests that Node can't read. */
export function answerBadRequests(server: Server, refuse: Refuse): void {
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    // Behind the head of an answer that is on its way an answer of ours would be a part of its body.
    if (!socket.writable || error.code === "ECONNRESET" || isAnswering(socket)) socket.destroy(error);
    else writeRefusal(socket, refuse(badRequest(error)));
  });
}

/** Answers handshakes that ws refuses. */
export function answerBadHandshakes(sockets: WebSocketServer, refuse: Refuse): void {
  sockets.on("wsClientError", (error, socket) => {
    const { status, headers, body } = refuse(serverErrors.badRequest(error.message));
    writeRefusal(socket, { status, headers: { ...headers, "sec-websocket-version": "13" }, body });
  });
}

/** Answers a request that has no `ServerResponse`, and closes its connection. */
export function writeRefusal(socket: Duplex, { status, headers, body }: GatewayResponse): void {
  const bytes = Buffer.from(body);
  const lines = Object.entries({ ...headers, "content-length": bytes.length, connection: "close" });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${head}\r\n`);
  socket.end(bytes, () => socket.destroy());
}

/** As Node's own handler asks; a socket that doesn't say has no answer on its way. */
function isAnswering(socket: Duplex): boolean {
  const answer: unknown = Reflect.get(socket, "_httpMessage");
  return answer instanceof ServerResponse && answer.headersSent;
}

function badRequest({ code, message }: NodeJS.ErrnoException): TroupeError {
  if (code === "HPE_HEADER_OVERFLOW") return serverErrors.headersTooLong();
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return serverErrors.requestTimeout();
  return serverErrors.badRequest(`The request isn't one of HTTP/1.1: ${message}`);
}
