/** A reload of what isn't a plugin: where model calls go, with which keys, and where the gateway listens. */
import { once } from "node:events";
import { request, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test, vi } from "vitest";
import { Gateway } from "../src/gateway/gateway.ts";
import { type GatewayOptions, readOptions } from "../src/gateway/options.ts";
import { GatewayServer } from "../src/gateway/server.ts";
import { ScriptedProvider } from "./support/provider.ts";

function optionsFor(provider: ScriptedProvider, more: Partial<GatewayOptions> = {}): GatewayOptions {
  const flags = { bind: "127.0.0.1:0", upstream: [provider.url] };
  return { ...readOptions(flags, { cwd: "/" }), ...more };
}

function keyOf({ received }: ScriptedProvider): string | undefined {
  const headers = received.at(-1)?.headers ?? [];
  return headers[headers.indexOf("X-Api-Key") + 1];
}

test("a reload changes upstreams, keys and the address; what is under way ends where it began, and what can't be changes nothing", async () => {
  let open: ServerResponse | undefined;
  await using before = await ScriptedProvider.start((_request, response) => {
    open = response;
    response.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\n\n");
  });
  await using after = await ScriptedProvider.start((_request, response) => void response.end("after"));
  const env: Record<string, string> = { OLD: "old-key", NEW: "new-key" };
  const start = optionsFor(before, { keys: { any: { variable: "OLD" } } });
  await using gateway = await Gateway.start(start, { env });
  const { url } = gateway;
  const streaming = request(`${url}/v1/messages`, { method: "POST" });
  const answered = once(streaming, "response");
  streaming.end("{}");
  const [stream] = await answered;
  expect(keyOf(before)).toBe("old-key");

  const gone = optionsFor(after, { keys: { any: { variable: "NOBODY" } } });
  await expect(gateway.reload(gone)).rejects.toMatchObject({ code: "key_missing" });
  const taken = optionsFor(after, { port: Number(new URL(after.url).port) });
  await expect(gateway.reload(taken)).rejects.toMatchObject({ code: "cannot_listen" });
  expect(gateway.upstreams.any?.origin).toBe(before.url);
  expect(gateway.url).toBe(url);

  await gateway.reload(optionsFor(after, { keys: { any: { variable: "NEW" } } }));
  const call = () => fetch(`${gateway.url}/v1/messages`, { method: "POST", body: "{}" });
  expect(await (await call()).text()).toBe("after");
  expect(keyOf(after)).toBe("new-key");
  open?.end("data: 2\n\n");
  expect(await text(stream)).toBe("data: 1\n\ndata: 2\n\n");

  // By another name of this machine, at a port of its own.
  await gateway.reload(optionsFor(after, { host: "localhost" }));
  expect(gateway.url).not.toBe(url);
  expect((await call()).status).toBe(200);
  await expect(fetch(`${url}/livez`)).rejects.toThrow("fetch failed");
});

test("an end in the middle of a reload closes the listener that the reload has opened, and no reload begins behind it", async () => {
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const gateway = await Gateway.start(optionsFor(provider));
  const { promise: opened, resolve } = Promise.withResolvers<GatewayServer>();
  const listen = GatewayServer.listen.bind(GatewayServer);
  vi.spyOn(GatewayServer, "listen").mockImplementation(async (...given) => {
    const server = await listen(...given);
    resolve(server);
    return server;
  });
  onTestFinished(() => void vi.restoreAllMocks());
  const moving = gateway.reload(optionsFor(provider, { host: "localhost" }));
  const { url } = await opened;
  const waiting = gateway.reload();
  const ended = gateway[Symbol.asyncDispose]();
  await expect(waiting).rejects.toMatchObject({ code: "stopping" });
  await Promise.all([moving, ended]);
  for (const gone of [url, gateway.url])
    await expect(fetch(`${gone}/hooks/tool`, { method: "POST", body: '{"name":"rm"}' })).rejects.toThrow();
});

test("two reloads at once go one after the other", async () => {
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  await using gateway = await Gateway.start(optionsFor(provider));
  const free = await ScriptedProvider.start(() => undefined);
  const port = Number(new URL(free.url).port);
  await free[Symbol.asyncDispose]();
  const moved = optionsFor(provider, { port });
  await Promise.all([gateway.reload(moved), gateway.reload(moved)]);
  expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200);
});
