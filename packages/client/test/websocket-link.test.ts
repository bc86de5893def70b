import { assert } from "@troupe/base";
import { expect, test } from "vitest";
import type { WebSocketPort, WebSocketPortEvent } from "../src/env.ts";
import { HttpTransport } from "../src/http/http-transport.ts";
import type { ClientLinkHandler } from "../src/transport.ts";
import { settled, watch } from "./support/world.ts";

const target = { kind: "key", name: "room", key: ["a"], method: "getOrCreate" } as const;

class HeldSocket implements WebSocketPort {
  static newest: HeldSocket | undefined;
  readonly url: string;
  readonly protocols: readonly string[];
  binaryType = "blob";
  readyState = 0;
  readonly sent: unknown[] = [];
  readonly closes: unknown[] = [];
  readonly #listeners: [string, (event: WebSocketPortEvent) => void][] = [];

  constructor(url: string, protocols: readonly string[]) {
    this.url = url;
    this.protocols = protocols;
    HeldSocket.newest = this;
  }

  send(data: unknown): void {
    assert(this.readyState === 1, "send on a socket that isn't open");
    this.sent.push(data);
  }

  close(...args: unknown[]): void {
    this.closes.push(args);
  }

  addEventListener(type: string, listener: (event: WebSocketPortEvent) => void): void {
    this.#listeners.push([type, listener]);
  }

  emit(event: WebSocketPortEvent): void {
    this.readyState = event.type === "open" ? 1 : event.type === "close" ? 3 : this.readyState;
    for (const [type, listener] of this.#listeners) if (type === event.type) listener(event);
  }
}

function transport(token?: string): HttpTransport {
  const env = { WebSocket: HeldSocket };
  return new HttpTransport({ env, endpoint: "https://example.com", encoding: "json", token, headers: {} });
}

function socket(): HeldSocket {
  assert(HeldSocket.newest !== undefined, "no socket was opened");
  return HeldSocket.newest;
}

function recorder(): ClientLinkHandler & { readonly story: unknown[] } {
  const story: unknown[] = [];
  return {
    story,
    message: (data) => void story.push(data),
    closed: (code, reason) => void story.push(`closed ${code} ${reason}`),
  };
}

test("a WebSocket is opened where the protocol says, the token among its subprotocols", async () => {
  void transport("tökén/?>").connect(target, {});
  expect(socket().url).toBe("wss://example.com/actor/room/connect?key=a&method=getOrCreate");
  expect(socket().protocols).toEqual([
    "troupe",
    `troupe.token.${Buffer.from("tökén/?>").toString("base64url")}`,
  ]);
  void transport().connect({ kind: "id", name: "room", actorId: "i" }, {});
  expect(socket().url).toBe("wss://example.com/actor-id/i/connect");
  expect(socket().protocols).toEqual(["troupe"]);
});

test("S3.6 (in part): a WebSocket that doesn't open has sent nothing", async () => {
  const link = watch(transport().connect(target, {}));
  socket().emit({ type: "error" });
  socket().emit({ type: "close", code: 1006, reason: "" });
  await settled();
  expect(link).toMatchObject({ code: "client.not_sent", error: { retryable: true } });
});

test("what comes before somebody listens is kept, in order", async () => {
  const opening = transport().connect(target, {});
  socket().emit({ type: "open" });
  const link = await opening;
  socket().emit({ type: "message", data: "text" });
  socket().emit({ type: "message", data: Uint8Array.of(1, 2).buffer });
  socket().emit({ type: "close", code: 1012, reason: "bye" });
  const handler = recorder();
  link.attach(handler);
  expect(handler.story).toEqual(["text", Uint8Array.of(1, 2), "closed 1012 bye"]);
  link.send("ignored");
  expect(socket().sent).toEqual([]);
});

test("only the close codes that a page may send are sent", async () => {
  const opening = transport().connect(target, {});
  socket().emit({ type: "open" });
  const link = await opening;
  link.close(1002, "why");
  link.close(1000, "");
  link.close(4001, "own");
  expect(socket().closes).toEqual([[], [1000, ""], [4001, "own"]]);
});

test("an aborted opening closes the socket", async () => {
  const abort = new AbortController();
  const link = watch(transport().connect(target, { signal: abort.signal }));
  abort.abort();
  expect(socket().closes).toHaveLength(1);
  socket().emit({ type: "close", code: 1006 });
  await settled();
  expect(link.code).toBe("client.not_sent");
});
