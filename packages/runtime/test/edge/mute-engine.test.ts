/** A host of the edge over the web's own WebSocket, and a server that takes connections and says nothing. */
import { once } from "node:events";
import { limits } from "@troupe/protocol";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { type WebSocket as ServerSocket, WebSocketServer } from "ws";
import { dialWebSocket } from "../../src/edge/web-socket-link.ts";
import { HostClient } from "../../src/remote/host-client.ts";
import { World } from "../driver/world.ts";

test("an engine that says nothing is given up, and dialled again; nobody ends for it", async () => {
  const world = new World();
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const address = server.address();
  const url = `ws://127.0.0.1:${typeof address === "string" ? address : address?.port}`;
  const taken = once(server, "connection");
  const client = new HostClient({
    ...{ env: world, use: { counter: actor({ actions: {} }) }, token: "secret", pool: "default" },
    dial: (signal) => dialWebSocket(url, signal),
  });
  try {
    const [first]: ServerSocket[] = await taken;
    await once(first ?? server, "message");
    const [ended, again] = [once(first ?? server, "close"), once(server, "connection")];
    await world.pass(limits.hostDialMs);
    // A code that says "for good" would end the host's session at an engine that was only slow.
    expect((await ended)[0]).toBe(1005);
    await world.pass(1_000);
    const [second]: ServerSocket[] = await again;
    expect(second?.readyState).toBe(1);
  } finally {
    client.close();
    server.close();
  }
});
