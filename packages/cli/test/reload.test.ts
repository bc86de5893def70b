/** Reloads: of what isn't a plugin (where model calls go, with which keys, where the gateway listens), of several at once, and at the end. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request, type ServerResponse } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Relay } from "@troupe/relay";
import type { PluginConfig } from "@troupe/relay/plugin";
import { expect, test } from "vitest";
import { Gateway } from "../src/gateway/gateway.ts";
import { type GatewayOptions, readOptions } from "../src/gateway/options.ts";
import { GatewayProcess } from "./support/gateway-process.ts";
import { PluginFolder } from "./support/plugin-folder.ts";
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

const guardrail = `{ kind: "tool_conditional_execution_guardrail", name: "none", handle: () => null }`;

/** A worker that waits, from its next start on, until `door` has answered. */
function wait(folder: PluginFolder, door: ScriptedProvider): void {
  const source = readFileSync(join(folder.path, "curfew/main.ts"), "utf8");
  folder.write("curfew/main.ts", `await fetch(${JSON.stringify(door.url)});\n${source}`);
}

async function ask(url: string, path = "/hooks/tool", more: object = {}): Promise<unknown> {
  const body = JSON.stringify({ name: "ls", ...more });
  return await (await fetch(url + path, { method: "POST", body })).json();
}

test("an end that is asked for during a reload waits for it and ends what it has opened; nobody is told yes meanwhile", async () => {
  using folder = new PluginFolder();
  let open: ServerResponse | undefined;
  await using door = await ScriptedProvider.start((_request, response) => {
    open = response;
    door.emit("knock");
  });
  const options = optionsFor(door, { manifests: [folder.worker("curfew", guardrail)] });
  await using gateway = await Gateway.start(options);
  const before = gateway.url;
  expect(await ask(before)).toMatchObject({ decision: "allow" });

  wait(folder, door);
  const knocked = once(door, "knock");
  const reloaded = gateway.reload({ ...options, host: "localhost" });
  await knocked;
  const ended = gateway[Symbol.asyncDispose]();
  const late = expect(gateway.reload()).rejects.toMatchObject({ group: "gateway", code: "stopping" });
  expect(await ask(before)).toMatchObject({ decision: "deny", reason: "The gateway ends" });
  const asked = { hook_event_name: "BeforeTool", tool_name: "ls" };
  expect(await ask(before, "/hooks/gemini", asked)).toEqual({ decision: "deny", reason: "The gateway ends" });
  expect(await ask(before, "/v1/messages")).toMatchObject({ error: { code: "gateway.stopping" } });
  expect(await (await fetch(`${before}/readyz`)).json()).toEqual({ status: "stopping" });
  open?.end();
  await Promise.all([reloaded, ended, late]);

  expect(gateway.url).not.toBe(before);
  for (const url of [before, gateway.url]) await expect(ask(url)).rejects.toThrow("fetch failed");
});

test("a stream that is under way ends where it began, however long it takes, when the gateway moves; the reload doesn't wait for it", async () => {
  let open: ServerResponse | undefined;
  await using provider = await ScriptedProvider.start((_request, response) => {
    open = response;
    response.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\n\n");
  });
  await using gateway = await Gateway.start(optionsFor(provider));
  const { url } = gateway;
  const streaming = request(`${url}/v1/messages`, { method: "POST" });
  const answered = once(streaming, "response");
  streaming.end("{}");
  const [stream] = await answered;
  await gateway.reload(optionsFor(provider, { host: "localhost" }));
  expect(gateway.url).not.toBe(url);
  await expect(fetch(`${url}/livez`)).rejects.toThrow("fetch failed");
  expect(stream.readableEnded).toBe(false);
  open?.end("data: 2\n\n");
  expect(await text(stream)).toBe("data: 1\n\ndata: 2\n\n");
});

test("the end of a gateway that has moved ends what is under way at its former place", async () => {
  await using provider = await ScriptedProvider.start((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\n\n");
  });
  const agent = { token: "a-secret-of-its-own", session: "s", listen: () => undefined };
  await using gateway = await Gateway.start(optionsFor(provider), { agent });
  const streaming = request(`${gateway.url}/v1/messages`, { method: "POST" });
  const answered = once(streaming, "response");
  streaming.end("{}");
  const [stream] = await answered;
  await gateway.reload(optionsFor(provider, { host: "localhost" }));
  // An agent's gateway waits for nobody.
  await gateway[Symbol.asyncDispose]();
  await expect(text(stream)).rejects.toMatchObject({ code: "ECONNRESET" });
});

test("a reload that fails has changed nothing at any time: components neither", async () => {
  using folder = new PluginFolder();
  let open: ServerResponse | undefined;
  await using door = await ScriptedProvider.start((_request, response) => {
    open = response;
    door.emit("knock");
  });
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const config = { profiles: [{ action: "redact", detector: "email" }] };
  const redacting: PluginConfig = { version: 1, components: [{ kind: "pii_redaction", config }] };
  const options = optionsFor(provider, {
    manifests: [folder.worker("curfew", guardrail)],
    components: redacting,
  });
  const events: unknown[] = [];
  const listen = (relay: Relay) => void relay.registerSubscriber("test", (event) => void events.push(event));
  await using gateway = await Gateway.start(options, {
    agent: { token: "a-secret-of-its-own", session: "s", listen },
  });
  const call = (mail: string) =>
    fetch(`${gateway.url}/v1/messages`, { method: "POST", body: JSON.stringify({ system: mail }) });

  folder.write(
    "curfew/main.ts",
    `await fetch(${JSON.stringify(door.url)}); throw new Error("the licence is missing");`,
  );
  const knocked = once(door, "knock");
  const without = { ...options, components: undefined };
  const failed = expect(gateway.reload(without)).rejects.toMatchObject({ code: "required_failed" });
  await knocked;
  await call("during@example.com");
  open?.end();
  await failed;
  await call("behind@example.com");
  await gateway[Symbol.asyncDispose]();
  expect(events.filter((event) => Object(event).name === "anthropic.messages")).toHaveLength(4);
  expect(JSON.stringify(events)).not.toContain("@example.com");
});

test("reloads follow each other: the second of two to the same address finds the first done, and one that fails takes nothing back of another", async () => {
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  await using gateway = await Gateway.start(optionsFor(provider));
  const free = await ScriptedProvider.start(() => undefined);
  const port = Number(new URL(free.url).port);
  await free[Symbol.asyncDispose]();
  const there = optionsFor(provider, { port });
  const missing = optionsFor(provider, { manifests: ["/nowhere/troupe-plugin.toml"] });
  const told = await Promise.allSettled([
    gateway.reload(there),
    gateway.reload(there),
    gateway.reload(missing),
    gateway.reload(there),
  ]);
  expect(told.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
  expect(gateway.url).toBe(`http://127.0.0.1:${port}`);
  expect(await ask(gateway.url)).toMatchObject({ decision: "allow" });
});

test("a reload that is asked for while the gateway starts waits for it, and doesn't end it", async () => {
  using folder = new PluginFolder();
  const manifest = folder.worker("early", "");
  const once = join(folder.path, "asked");
  const main = readFileSync(join(folder.path, "early/main.ts"), "utf8");
  folder.write(
    "early/main.ts",
    `import { existsSync, writeFileSync } from "node:fs";
     if (!existsSync(${JSON.stringify(once)})) {
       writeFileSync(${JSON.stringify(once)}, "");
       process.kill(process.ppid, "SIGHUP");
     }
     ${main}`,
  );
  await using gateway = await GatewayProcess.start(["--plugin", manifest]);
  const { code, out } = await gateway.stop();
  expect([code, out.match(/"reloaded":true/g)]).toEqual([0, ['"reloaded":true']]);
});

test("a gateway's own key takes the place of the one in an agent's address, and all else of it stays", async () => {
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const keyed = optionsFor(provider, { keys: { any: { variable: "KEY" } } });
  const path = "/v1beta/models/g:streamGenerateContent";
  const asked = [
    `${path}?alt=sse&key=AIzaAgent&x=%7e`,
    `${path}?%6Bey=AIzaAgent`,
    "/v1beta/models?key=AIzaAgent&pageSize=2",
  ];
  const urls: string[] = [];
  for (const [options, env] of [
    [keyed, { KEY: "own" }],
    [optionsFor(provider), {}],
  ] as const) {
    await using gateway = await Gateway.start(options, { env });
    for (const url of asked)
      await fetch(gateway.url + url, url.includes("Content") ? { method: "POST", body: "{}" } : {});
    urls.push(...provider.received.splice(0).map(({ url }) => url));
  }
  expect(urls).toEqual([`${path}?alt=sse&x=%7e`, path, "/v1beta/models?pageSize=2", ...asked]);
});
