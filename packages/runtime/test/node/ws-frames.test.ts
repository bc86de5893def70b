/**
 * What a link says, byte by byte: a client of `ws`, which checks every frame, hears each message as it was sent.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { MAX_FRAME_PAYLOAD, textFrame } from "../../src/node/text-frame.ts";
import { WsLink } from "../../src/node/ws-link.ts";
import type { Message } from "../../src/ports/transport.ts";

/** What a client hears of a link that says all of this in one tick, and closes. */
async function heardOf(messages: readonly Message[]): Promise<Message[]> {
  const http = createServer().listen(0, "127.0.0.1");
  const server = new WebSocketServer({ server: http, perMessageDeflate: false });
  server.on("connection", (ws, request: IncomingMessage) => {
    const link = new WsLink(ws, { socket: request.socket, closeTimeoutMs: 5_000 });
    for (const message of messages) link.send(message);
    link.close(1000, "that was all");
  });
  await once(http, "listening");
  const client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`);
  const heard: Message[] = [];
  client.on("message", (data, isBinary) => {
    heard.push(isBinary ? new Uint8Array(data as Buffer) : String(data));
  });
  const [code] = await once(client, "close");
  http.close();
  expect(code).toBe(1000);
  return heard;
}

it("says texts of every class of length, whole and in order with bytes", async () => {
  const lengths = [0, 1, 125, 126, MAX_FRAME_PAYLOAD, MAX_FRAME_PAYLOAD + 1];
  const messages = lengths.flatMap((length): Message[] => [
    "x".repeat(length),
    new Uint8Array([1, 2, length & 0xff]),
  ]);
  expect(await heardOf(messages)).toEqual(messages);
});

it("counts a frame in bytes of UTF-8, not in characters", async () => {
  const messages = ["é".repeat(63), "🎭".repeat(40), "é".repeat(MAX_FRAME_PAYLOAD / 2), "€".repeat(30_000)];
  expect(await heardOf(messages)).toEqual(messages);
  expect(textFrame("é".repeat(62))?.length).toBe(2 + 124);
  expect(textFrame("é".repeat(63))?.length).toBe(4 + 126);
  expect(textFrame("€".repeat(30_000))).toBeUndefined();
});

it("says what can't stand in UTF-8 as the client of a browser would", async () => {
  expect(await heardOf(["a\ud800b"])).toEqual(["a\ufffdb"]);
});
