/** Requests of many megabytes: what is held of them, what events tell, and that the provider gets the very bytes. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { limits } from "@troupe/protocol";
import type { LlmRequest, Relay } from "@troupe/relay";
import { expect, onTestFinished, test } from "vitest";
import { linesOf, post, start } from "./support/gateway-calls.ts";
import { PluginFolder } from "./support/plugin-folder.ts";
import { ScriptedProvider } from "./support/provider.ts";

test("gatewayHeldBodyBytes: a longer request goes on while it comes, and its events say that it wasn't read; a guardrail gets it whole", async () => {
  using folder = new PluginFolder();
  const atof = join(folder.path, "trace.jsonl");
  const text = "word ".repeat(limits.gatewayHeldBodyBytes / 5);
  const long = Buffer.from(JSON.stringify({ model: "m", text }));
  const hash = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const seen: unknown[] = [];
  const guards: { deregister(): boolean }[] = [];
  const listen = (relay: Relay): void => {
    const guard = ({ request: { content } }: { request: LlmRequest }): null => {
      seen.push(Object(content).text?.length);
      return null;
    };
    guards.push(relay.registerLlmConditionalExecutionGuardrail("reads", guard));
  };
  const gateway = await start(provider, { atof, listen });
  expect((await post(`${gateway.url}/v1/messages`, long)).statusCode).toBe(200);
  expect(seen).toEqual([text.length]);
  guards[0]?.deregister();
  const coming = once(provider, "request");
  const headers = { "content-length": long.length };
  const sent = request(`${gateway.url}/v1/messages`, { method: "POST", headers });
  const answered: Promise<IncomingMessage[]> = once(sent, "response");
  sent.write(long.subarray(0, 1_000));
  // The provider hears of it before its end has been sent.
  await coming;
  sent.end(long.subarray(1_000));
  expect((await answered)[0]?.statusCode).toBe(200);
  await gateway[Symbol.asyncDispose]();
  expect(provider.received.map(({ body }) => hash(body))).toEqual([hash(long), hash(long)]);
  const [started] = linesOf(atof)
    .filter(({ scope_category }) => scope_category === "start")
    .slice(-1);
  expect(started).toMatchObject({ data: { content: null }, metadata: { long_request_bytes: long.length } });
});

test("a long request whose client says no length goes on as soon as it is known to be long, and is refused where it is too long", async () => {
  using folder = new PluginFolder();
  const atof = join(folder.path, "trace.jsonl");
  const piece = Buffer.alloc(1024 * 1024, "0123456789abcdef");
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const gateway = await start(provider, { atof });
  const begin = async (pieces: number) => {
    const sent = request(`${gateway.url}/v1/messages`, { method: "POST" });
    sent.on("error", () => {});
    const answered: Promise<IncomingMessage[]> = once(sent, "response");
    for (let n = 0; n < pieces; n += 1) if (!sent.write(piece)) await once(sent, "drain");
    return { sent, answered };
  };
  const coming = once(provider, "request");
  const long = await begin(limits.gatewayHeldBodyBytes / piece.length + 1);
  await coming;
  long.sent.end("the end");
  expect((await long.answered)[0]?.statusCode).toBe(200);
  const [received] = provider.received;
  expect(received?.body.length).toBe(limits.gatewayHeldBodyBytes + piece.length + 7);
  expect(`${received?.body.subarray(-9)}`).toBe("efthe end");
  const tooLong = await begin(limits.gatewayModelBodyBytes / piece.length);
  tooLong.sent.end("!");
  const [refused] = await tooLong.answered;
  expect([refused?.statusCode, `${await buffer(refused ?? Readable.from([]))}`]).toEqual([
    413,
    expect.stringContaining("gateway.body_too_large"),
  ]);
  await gateway[Symbol.asyncDispose]();
  expect(provider.received).toHaveLength(1);
  const [started] = linesOf(atof);
  expect(started?.data.content).toBe(null);
  expect(started?.metadata.long_request_bytes).toBeGreaterThan(limits.gatewayHeldBodyBytes);
});

test("a long request under a guardrail: it is seen whole, goes on byte for byte, or nowhere when it is no text, and no event has it", async () => {
  using folder = new PluginFolder();
  const atof = join(folder.path, "trace.jsonl");
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const seen: unknown[] = [];
  const listen = (relay: Relay): void => {
    relay.registerLlmConditionalExecutionGuardrail("reads", ({ request: { content } }) => {
      seen.push(Object(content).model ?? content);
      return null;
    });
  };
  const gateway = await start(provider, { atof, listen });
  // Each character has four bytes, and begins at an odd place, so that pieces end in the middle of some.
  const text = "🎭".repeat(limits.gatewayHeldBodyBytes / 4);
  const bodies = [
    Buffer.from(JSON.stringify({ model: "odd", text })),
    Buffer.from(`\ufeff${JSON.stringify({ model: "behind a mark", text })}`),
  ];
  const noText = Buffer.concat([
    Buffer.from(`{"model":"no text","text":"${text}`),
    Buffer.from([0xff]),
    Buffer.from('"}'),
  ]);
  for (const body of [...bodies, noText])
    for (const headers of [{ "content-length": body.length }, {}]) {
      const sent = request(`${gateway.url}/v1/messages`, { method: "POST", headers });
      const answered: Promise<IncomingMessage[]> = once(sent, "response");
      sent.end(body);
      const [answer] = await answered;
      expect(answer?.statusCode).toBe(body === noText ? 400 : 200);
      answer?.resume();
      if (body !== noText) expect(provider.received.at(-1)?.body.equals(body)).toBe(true);
    }
  expect(seen).toEqual(["odd", "odd", "behind a mark", "behind a mark"]);
  expect(provider.received).toHaveLength(4);
  await gateway[Symbol.asyncDispose]();
  const starts = linesOf(atof).filter(
    ({ scope_category, data }) => scope_category === "start" && "headers" in data,
  );
  expect(starts.map(({ data, metadata }) => [data.content, metadata.long_request_bytes])).toEqual(
    bodies.flatMap(({ length }) => [
      [null, length],
      [null, length],
    ]),
  );
});

test("a long request that its client cuts is cut for the provider too, and one that is refused before its end is answered", async () => {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    if (request.url?.endsWith("?no") === true) response.writeHead(413).end("no");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await using gateway = await start({ url });
  const headers = { "content-length": limits.gatewayHeldBodyBytes + 1 };
  const begin = (path: string) => {
    const sent = request(gateway.url + path, { method: "POST", headers });
    sent.on("error", () => {});
    sent.write("{");
    return sent;
  };
  for (const path of ["/v1/messages?no", "/v1/files?no"]) {
    const sent = begin(path);
    const [refused]: IncomingMessage[] = await once(sent, "response");
    const [told] = await once(refused ?? server, "data");
    expect([refused?.statusCode, `${told}`]).toEqual([413, "no"]);
    sent.destroy();
  }
  const coming = once(server, "request");
  const cut = begin("/v1/messages");
  await coming;
  const closed = new Promise((resolve) => seen[2]?.once("close", resolve));
  cut.destroy();
  await closed;
  expect(seen.map(({ complete }) => complete)).toEqual([false, false, false]);
});
