/**
 * The real platform: Node's fetch and WebSocket against a small server that speaks the protocol.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import {
  type ClientFrame,
  decodeBody,
  decodeClientFrame,
  decodeHello,
  type Encoding,
  encodeBody,
  encodeServerFrame,
  encodeWelcome,
  type ServerFrame,
} from "@troupe/protocol";
import { expect, test } from "vitest";
import { type WebSocket as ServerSocket, WebSocketServer } from "ws";
import { createClient } from "../src/create-client.ts";
import type { Gap } from "../src/types.ts";
import type { RoomRegistry } from "./support/room.ts";

/** Answers `say` with its text, after broadcasting it to the caller; `act` breaks the socket off. */
class EchoServer {
  readonly #server: Server = createServer((request, response) => {
    void readAll(request).then((bytes) => {
      const encoding: Encoding = request.headers["content-type"] === "application/cbor" ? "cbor" : "json";
      this.authorization = request.headers.authorization;
      const [output] = decodeBody("action", bytes, encoding).args ?? [];
      response.setHeader("content-type", `application/${encoding}`);
      response.end(encodeBody({ output }, encoding));
    });
  });
  readonly #sockets = new WebSocketServer({ noServer: true, handleProtocols: () => "troupe" });
  authorization: string | undefined;
  subprotocols: string | undefined;
  connections = 0;

  async listen(): Promise<string> {
    this.#server.on("upgrade", (request, socket, head) => {
      this.subprotocols = request.headers["sec-websocket-protocol"];
      this.#sockets.handleUpgrade(request, socket, head, (upgraded) => this.#serve(upgraded));
    });
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? `http://127.0.0.1:${address.port}` : "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #serve(socket: ServerSocket): void {
    this.connections += 1;
    let encoding: Encoding | undefined;
    const subscribed = new Set<string>();
    socket.on("message", (data: Buffer, binary) => {
      const message = binary ? new Uint8Array(data) : data.toString();
      if (encoding === undefined) {
        encoding = decodeHello(message).encoding;
        const ids = { actorId: "a", connectionId: "c" };
        socket.send(encodeWelcome({ kind: "welcome", version: 1, heartbeatMs: 30_000, ...ids }));
        return;
      }
      for (const answer of answers(decodeClientFrame(message, encoding), subscribed)) {
        if (answer === "break") socket.terminate();
        else socket.send(encodeServerFrame(answer, encoding));
      }
    });
  }
}

function answers(frame: ClientFrame, subscribed: Set<string>): (ServerFrame | "break")[] {
  switch (frame.kind) {
    case "subscribe":
      subscribed.add(frame.event);
      return [{ kind: "subscribed", id: frame.id }];
    case "action": {
      if (frame.name === "act") return ["break"];
      const reply: ServerFrame = { kind: "reply", id: frame.id, output: frame.args[0] };
      return subscribed.has("message")
        ? [{ kind: "event", name: "message", args: frame.args }, reply]
        : [reply];
    }
    case "send":
      return [{ kind: "reply", id: frame.id, output: { status: "completed" } }];
    case "ping":
      return [{ kind: "pong" }];
    case "unsubscribe":
    case "credit":
    case "cancel":
      return [];
  }
}

async function readAll(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

for (const encoding of ["json", "cbor"] as const) {
  test(`S4.2: over real sockets every event of a call made in the same tick arrives (${encoding})`, async () => {
    await using server = new EchoServer();
    const endpoint = await server.listen();
    await using client = createClient<RoomRegistry>({ endpoint, encoding, token: "s3cret" });
    const heard: string[] = [];
    const calls = Array.from({ length: 50 }, (_, index) => {
      const conn = client.room.getOrCreate(["a"]).connect();
      conn.on("message", (text) => void heard.push(text));
      return conn.say(String(index));
    });
    const outputs = await Promise.all(calls);
    expect(heard.sort()).toEqual(outputs.sort());
    expect(server.connections).toBe(50);
    expect(server.subprotocols).toBe("troupe, troupe.token.czNjcmV0");
    await expect(client.room.get("a").say("over HTTP")).resolves.toBe("over HTTP");
    expect(server.authorization).toBe("Bearer s3cret");
  });
}

test("S3.6 (in part): over real sockets a broken link leaves the call unknown, and the connection comes back", async () => {
  await using server = new EchoServer();
  const endpoint = await server.listen();
  await using client = createClient<RoomRegistry>({ endpoint, reconnect: { baseMs: 5 } });
  const conn = client.room.get("a").connect();
  const heard: string[] = [];
  conn.on("message", (text) => void heard.push(text));
  await conn.ready;
  const gap = new Promise<Gap>((resolve) => void conn.onGap(resolve));
  await expect(conn.act()).rejects.toMatchObject({ code: "outcome_unknown" });
  await expect(conn.say("again")).resolves.toBe("again");
  expect(await gap).toEqual({ events: ["message"] });
  expect(heard).toEqual(["again"]);
  expect(server.connections).toBe(2);
});

test("S3.6 (in part): over real sockets nobody at the endpoint means that nothing was sent", async () => {
  const server = new EchoServer();
  const endpoint = await server.listen();
  await server[Symbol.asyncDispose]();
  await using client = createClient<RoomRegistry>({ endpoint, retry: { deadlineMs: 0 } });
  const call = client.room.get("a").act();
  await expect(call).rejects.toMatchObject({ group: "client", code: "not_sent", retryable: true });
  const conn = client.room.get("a").connect();
  const queued = conn.act();
  queued.catch(() => {});
  const disconnected = new Promise((resolve) => void conn.onStatusChange(resolve));
  expect(await disconnected).toBe("disconnected");
  await conn.dispose();
  await expect(queued).rejects.toMatchObject({ code: "disposed" });
});
