/** Requests to a port, with a server of this process in the place of one inside. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { fetchPort, type PortFetchOptions } from "../../src/ports/fetch-port.ts";
import { requestPort } from "../../src/ports/port-request.ts";
import { rejection } from "../support/errors.ts";

/** A sandbox whose every port is one server, which does this with who connects. */
async function inside(serve: (socket: Socket) => void) {
  const server = createServer((socket) => serve(socket.on("error", () => undefined)));
  server.listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { connect: async () => connect(port, "127.0.0.1") };
}

test("an answer that is cut off in its middle is an error of the port", async () => {
  const sandbox = await inside((socket) => {
    socket.once("data", () => {
      socket.end("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf");
    });
  });
  expect(await rejection(fetchPort(async () => sandbox, 80, "/"))).toBe("port.answer_cut");
});

test("who says no HTTP is told from nobody", async () => {
  const sandbox = await inside((socket) => socket.end("220 mail.example ESMTP\r\n"));
  expect(await rejection(fetchPort(async () => sandbox, 80, "/"))).toBe("port.answer_invalid");
  const silent = await inside((socket) => socket.end());
  expect(await rejection(fetchPort(async () => silent, 80, "/"))).toBe("port.closed");
});

test("what HTTP can't say isn't asked", async () => {
  const asked = (options: PortFetchOptions) =>
    fetchPort(() => Promise.reject(new Error("asked")), 80, "/", options).catch(({ code, message }) => [
      code,
      message,
    ]);
  const wrong = (name: string) => ["invalid_argument", expect.stringContaining(name)];
  expect(await asked({ headers: { "a b": "1" } })).toEqual(wrong("headers.a b"));
  expect(await asked({ headers: { a: "1\r\nb: 2" } })).toEqual(wrong("headers.a"));
  expect(await asked({ method: "connect" })).toEqual(wrong("method"));
  expect(await asked({ method: "G ET" })).toEqual(wrong("method"));
});

test("a body that nobody takes any more is let go, and what it holds with it", async () => {
  const sandbox = await inside((socket) => {
    // Nothing more is read, so that the body waits; then nobody is there.
    socket.once("data", () => {
      socket.pause();
      setImmediate(() => socket.resetAndDestroy());
    });
  });
  const released = Promise.withResolvers<string>();
  async function* endless() {
    try {
      for (;;) yield Buffer.alloc(1024 * 1024);
    } finally {
      released.resolve("released");
    }
  }
  const sent = requestPort(sandbox, { port: 80, path: "/", method: "POST", headers: {}, body: endless() });
  expect(await rejection(sent)).toBe("port.closed");
  expect(await released.promise).toBe("released");
});
