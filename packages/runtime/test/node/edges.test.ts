/** The real port's edges: headers that lie or offer, refusals that pages can read, memory, drains and options. */
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { limits } from "@troupe/protocol";
import { actor, setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { listen } from "../../src/node/http-server.ts";
import { resolveStartOptions } from "../../src/node/start-options.ts";
import { Driver } from "../driver/driver.ts";
import { codeOf, rejection } from "../driver/watch.ts";

const echo = actor({ actions: { args: (_c, ...args: unknown[]) => args } });

/** A story's gateway on a real port. */
async function serve(access: Parameters<typeof Driver.start>[1] = {}) {
  const driver = await Driver.start({ echo }, access);
  const { gateway } = driver.runtime;
  const door = await listen({ env: driver.world, gateway, host: "127.0.0.1", port: 0 });
  return {
    driver,
    gateway,
    endpoint: door.endpoint,
    port: door.port,
    async [Symbol.asyncDispose]() {
      const closed = door.close();
      door.end();
      await closed;
      await driver[Symbol.asyncDispose]();
    },
  };
}

/** Sends bytes as they are and gives all that comes back until the end. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => {});
  socket.end(text);
  await once(socket, "close");
  return Buffer.concat(chunks).toString();
}

const post = (headers: string, body = '{"args":[1]}'): string =>
  `POST /actor/echo/action/args HTTP/1.1\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;

const upgrade = (headers: string): string =>
  `GET /actor/echo/connect HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
  `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${headers}\r\n`;

test("an Upgrade to anything but websocket is an offer, and is ignored", async () => {
  await using serving = await serve();
  for (const offer of ["h2c", "TLS/1.0", "foo"]) {
    const request = httpRequest(`${serving.endpoint}/actor/echo/action/args`, {
      method: "POST",
      headers: { connection: "Upgrade, HTTP2-Settings", upgrade: offer, "http2-settings": "AAMAAABk" },
    });
    request.end('{"args":[1]}');
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const text = (await response.toArray()).join("");
    expect([offer, response.statusCode, text]).toEqual([offer, 200, '{"output":[1]}']);
  }
  expect(await raw(serving.port, upgrade("Host: 127.0.0.1\r\n").replace("websocket", "WebSocket"))).toContain(
    "101 Switching",
  );
});

test("what Node and ws refuse by themselves has a code, like all that is refused, and the next request works", async () => {
  await using serving = await serve();
  const handshake = upgrade("Host: 127.0.0.1\r\n");
  const long = post(`Host: 127.0.0.1\r\nX-Long: ${"x".repeat(limits.headerBytes)}\r\n`);
  const refused: readonly (readonly [text: string, status: number, code: string])[] = [
    ["HELLO\r\n\r\n", 400, "gateway.bad_request"],
    [long, 431, "gateway.headers_too_long"],
    [handshake.replace("Sec-WebSocket-Key", "X-Key"), 400, "gateway.bad_request"],
    [handshake.replace("Version: 13", "Version: 7"), 400, "gateway.bad_request"],
    [handshake.replace("GET", "POST"), 400, "gateway.bad_request"],
  ];
  for (const [text, status, code] of refused) {
    const [head = "", body = ""] = (await raw(serving.port, text)).split("\r\n\r\n");
    const { error } = JSON.parse(body) as {
      readonly error: { readonly group: string; readonly code: string };
    };
    expect([head.startsWith(`HTTP/1.1 ${status} `), `${error.group}.${error.code}`]).toEqual([true, code]);
  }
  expect(serving.driver.world.logged("error", "")).toEqual([]);
  const next = await fetch(`${serving.endpoint}/actor/echo/action/args`, {
    method: "POST",
    body: '{"args":[1]}',
  });
  expect(await next.text()).toBe('{"output":[1]}');
});

const hosts = [
  "Host: localhost:80@evil.example\r\n",
  "Host: localhost:99999\r\n",
  "Host: localhost:123456\r\n",
  "Host: localhost:x\r\n",
  "Host: [::1]evil.example\r\n",
  "Host: [::1]:80:80\r\n",
  "Host: localhost/\r\n",
  "Host: localhost\r\nHost: localhost\r\n",
  "Host: localhost\r\nhost: evil.example\r\n",
];

for (const host of hosts) {
  test(`${JSON.stringify(host)} names no host of ours, over HTTP and WebSocket`, async () => {
    await using serving = await serve();
    for (const request of [post(host), upgrade(host)]) {
      const answer = await raw(serving.port, request);
      expect(answer).toMatch(/^HTTP\/1.1 40[03] /);
      expect(answer).toContain('"code":"host_not_allowed"');
    }
  });
}

test("a page that may call can read why it was refused; no other can", async () => {
  await using serving = await serve({ access: { auth: "token", token: "s3cret" } });
  const ask = async (headers: string) => {
    const answer = await raw(serving.port, post(headers));
    const cors = /access-control-allow-origin: (.*)\r\n/.exec(answer)?.[1];
    return [/"code":"(.*?)"/.exec(answer)?.[1], cors];
  };
  const page = "Origin: http://localhost:3000\r\n";
  expect(await ask(`Host: 127.0.0.1\r\n${page}`)).toEqual(["unauthorized", "http://localhost:3000"]);
  expect(await ask(`Host: evil.example\r\n${page}`)).toEqual(["host_not_allowed", undefined]);
  expect(await ask("Host: 127.0.0.1\r\nOrigin: http://evil.example\r\n")).toEqual([
    "origin_not_allowed",
    undefined,
  ]);
  const long = await fetch(`${serving.endpoint}/actor/echo/action/args`, {
    method: "POST",
    headers: { origin: "http://localhost:3000", authorization: "Bearer s3cret" },
    body: new Uint8Array(limits.httpBodyBytes + 1),
  });
  expect([long.status, long.headers.get("access-control-allow-origin")]).toEqual([
    413,
    "http://localhost:3000",
  ]);
});

test("the bodies of all requests share a budget, and a client that goes away gives its part back", async () => {
  await using serving = await serve();
  const { bodies } = serving.gateway;
  const half = connect(serving.port, "127.0.0.1");
  half.write("POST /actor/echo/action/args HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{");
  await serving.driver.world.until(() => bodies.used === 1);
  half.destroy();
  await serving.driver.world.until(() => bodies.used === 0);
  bodies.take(limits.gatewayBodyBytes);
  const busy = await raw(serving.port, post("Host: 127.0.0.1\r\n"));
  expect(busy).toMatch(/^HTTP\/1.1 503 /);
  expect(busy).toContain('"code":"busy"');
  expect((await fetch(`${serving.endpoint}/livez`)).status).toBe(200);
  bodies.give(limits.gatewayBodyBytes);
  const url = `${serving.endpoint}/actor/echo/action/args`;
  const answer = await fetch(url, { method: "POST", body: '{"args":[1]}' });
  expect(await answer.json()).toEqual({ output: [1] });
  expect(bodies.used).toBe(0);
});

test("while the gateway drains, answers close their connections", async () => {
  await using serving = await serve();
  const connection = async () =>
    (await fetch(`${serving.endpoint}/actor/echo/action/args`, { method: "POST" })).headers.get("connection");
  expect(await connection()).toBe("keep-alive");
  serving.gateway.unready();
  expect(await connection()).toBe("close");
});

test("environment variables that are empty are unset", () => {
  const unset = resolveStartOptions({}, {});
  expect(resolveStartOptions({}, { TROUPE_DATA: "", TROUPE_HOST: "", TROUPE_PORT: "" })).toEqual(unset);
});

test("setup without actors is an error of the configuration", () => {
  for (const config of [{}, undefined, null, { use: null }, { use: 1 }]) {
    let code = "ok";
    try {
      setup(config as never);
    } catch (error) {
      code = codeOf(error);
    }
    expect([config, code]).toEqual([config, "config.invalid_option"]);
  }
});

test("an address that can't be listened at is an error of the configuration, with its cause", async () => {
  await using driver = await Driver.start({ echo });
  // TEST-NET-1: no machine has it.
  const options = { env: driver.world, gateway: driver.runtime.gateway, host: "192.0.2.1", port: 0 };
  expect(await rejection(listen(options))).toBe("config.cannot_listen");
  await expect(listen(options)).rejects.toMatchObject({
    metadata: { host: "192.0.2.1", port: 0 },
    cause: { code: "EADDRNOTAVAIL" },
  });
});
