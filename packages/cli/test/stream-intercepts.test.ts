/** Intercepts around the streams of model calls, and middleware that answers a client in the provider's place while it waits for a stream. */
import { gzipSync } from "node:zlib";
import type { Relay, RelayEvent } from "@troupe/relay";
import { providerOf } from "@troupe/relay/model-proxy";
import { createParser } from "eventsource-parser";
import { expect, test } from "vitest";
import { Gateway } from "../src/gateway/gateway.ts";
import { readOptions } from "../src/gateway/options.ts";
import { ScriptedProvider } from "./support/provider.ts";
import { recorded } from "./support/recorded-streams.ts";

type Answer = Parameters<typeof ScriptedProvider.start>[0];

/** A gateway with this middleware, and what its clients and its trace get of a stream. */
async function guarded(answer: Answer, register: (relay: Relay) => void) {
  const ends: RelayEvent[] = [];
  const provider = await ScriptedProvider.start(answer);
  const listen = (relay: Relay): void => {
    register(relay);
    relay.registerSubscriber("test", (event) => {
      if (event.kind === "scope" && event.scope_category === "end" && event.category === "llm")
        ends.push(event);
    });
  };
  const options = readOptions({ bind: "127.0.0.1:0", upstream: [provider.url] }, { cwd: "/" });
  const gateway = await Gateway.start(options, { agent: { token: "t", session: "s", listen } });
  const ask = async (path: string) => {
    const answered = await fetch(gateway.url + path, { method: "POST", body: '{"stream":true}' });
    return {
      status: answered.status,
      headers: answered.headers,
      body: await answered.text().catch(() => "cut"),
    };
  };
  const end = async () => {
    await gateway[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  };
  return { ask, end, ends };
}

function streamOf(stream: Buffer, headers: Readonly<Record<string, string>> = {}): Answer {
  return (_request, response) =>
    void response.writeHead(200, { "content-type": "text/event-stream", ...headers }).end(stream);
}

/** Each event's name and data. */
function eventsOf(text: string): { event: string | undefined; data: string }[] {
  const events: { event: string | undefined; data: string }[] = [];
  createParser({ onEvent: ({ event, data }) => void events.push({ event, data }) }).feed(text);
  return events;
}

/** What the provider's own reader makes of a stream. */
function read(path: string, text: string) {
  const collector = providerOf(path.replace(/\?.*/, ""))?.codec.collectStream();
  for (const { data } of eventsOf(text)) if (data !== "[DONE]") collector?.add(JSON.parse(data));
  return collector?.end();
}

const greeting = (relay: Relay): void =>
  void relay.registerLlmStreamExecutionIntercept("polite", async function* ({ request }, { next }) {
    for await (const chunk of await next(request))
      yield JSON.parse(JSON.stringify(chunk).replace("Grüße", "Hallo"));
  });

test.each(
  recorded.flatMap(([path, stream]) => [
    [path, "plain", stream, {}] as const,
    [path, "packed", gzipSync(stream), { "content-encoding": "gzip" }] as const,
  ]),
)(
  "%s, %s: an intercept goes around each chunk, and client and trace have what it made of them",
  async (path, _how, sent, headers) => {
    const [, stream = Buffer.from("")] = recorded.find(([known]) => known === path) ?? [];
    const { ask, end, ends } = await guarded(streamOf(sent, headers), greeting);
    const { status, body, headers: got } = await ask(path);
    await end();
    expect(status).toBe(200);
    expect(got.get("x-troupe-overhead-ms")).toMatch(/^[\d.]+$/);
    const expected = eventsOf(`${stream}`.replace("Grüße", "Hallo"));
    const said = (events: typeof expected) =>
      events.map(({ event, data }) => [event, data === "[DONE]" ? data : JSON.parse(data)]);
    expect(said(eventsOf(body))).toEqual(said(expected));
    expect(ends).toMatchObject([
      {
        category: "llm",
        metadata: { "otel.status_code": "OK" },
        category_profile: { annotated_response: { model: "m-1" } },
      },
    ]);
    expect(JSON.stringify(ends)).toContain("Hallo");
  },
);

test("a provider's refusal goes on as it is; an intercept that fails is an error, and cuts a stream that has begun", async () => {
  const [, [path, stream] = ["", Buffer.from("")]] = recorded;
  const busy = '{"type":"error","error":{"message":"slow down"}}';
  const refused = await guarded(
    (_request, response) =>
      void response.writeHead(429, { "content-type": "application/json", "retry-after": "7" }).end(busy),
    greeting,
  );
  expect(await refused.ask(path)).toMatchObject({ status: 429, body: busy });
  await refused.end();
  expect(refused.ends).toMatchObject([{ metadata: { "otel.status_code": "ERROR" } }]);

  const failing = (at: number) => (relay: Relay) =>
    void relay.registerLlmStreamExecutionIntercept("frail", async function* ({ request }, { next }) {
      let n = 0;
      if (at === 0) throw new Error("no rules");
      for await (const chunk of await next(request)) {
        yield chunk;
        n += 1;
        if (n === at) throw new Error("lost its way");
      }
    });
  for (const at of [0, 2]) {
    const { ask, end, ends } = await guarded(streamOf(stream), failing(at));
    expect(await ask(path)).toMatchObject(
      at === 0
        ? { status: 500, body: expect.stringContaining('"type":"error"') }
        : { status: 200, body: "cut" },
    );
    await end();
    expect(ends).toMatchObject([{ metadata: { "otel.status_code": "ERROR" } }]);
  }
});

test("an intercept that opens no stream answers one of its own", async () => {
  const [, [path] = [""]] = recorded;
  const { ask, end } = await guarded(streamOf(Buffer.from("")), (relay) => {
    relay.registerLlmStreamExecutionIntercept("own", async function* () {
      yield { type: "message_stop" };
    });
  });
  const { body, headers } = await ask(path);
  expect([headers.get("content-type"), body]).toEqual([
    "text/event-stream",
    'event: message_stop\ndata: {"type":"message_stop"}\n\n',
  ]);
  await end();
});

const answers: readonly (readonly [path: string, answer: object])[] = [
  [
    "/v1/messages",
    {
      ...{
        id: "m",
        type: "message",
        role: "assistant",
        model: "m-1",
        stop_reason: "tool_use",
        stop_sequence: null,
      },
      content: [
        { type: "text", text: "known" },
        { type: "tool_use", id: "t", name: "ls", input: { path: "/" } },
      ],
      usage: { input_tokens: 1, output_tokens: 2 },
    },
  ],
  [
    "/v1/chat/completions",
    {
      ...{ id: "c", object: "chat.completion", created: 1, model: "m-1" },
      choices: [{ index: 0, message: { role: "assistant", content: "known" }, finish_reason: "stop" }],
    },
  ],
  [
    "/v1/responses",
    {
      ...{ id: "r", object: "response", status: "completed", model: "m-1" },
      output: [
        { id: "i", type: "message", role: "assistant", content: [{ type: "output_text", text: "known" }] },
      ],
    },
  ],
  [
    "/v1beta/models/m-1:streamGenerateContent?alt=sse",
    {
      candidates: [
        { content: { parts: [{ text: "known" }], role: "model" }, finishReason: "STOP", index: 0 },
      ],
    },
  ],
];

test.each(answers)(
  "%s: a middleware's own answer comes as the stream that was asked for",
  async (path, answer) => {
    const { ask, end } = await guarded(streamOf(Buffer.from("")), (relay) => {
      relay.registerLlmExecutionIntercept("cache", () => answer);
    });
    const { body, headers } = await ask(path);
    await end();
    expect(headers.get("content-type")).toBe("text/event-stream");
    expect(headers.get("x-troupe-overhead-ms")).toMatch(/^[\d.]+$/);
    const found = read(path, body);
    expect(found?.complete).toBe(true);
    const codec = providerOf(path.replace(/\?.*/, ""))?.codec;
    const { message, tool_calls, finish_reason } = Object(codec?.decodeResponse(found?.response));
    expect({ message, tool_calls, finish_reason }).toEqual(
      (({ message, tool_calls, finish_reason }) => ({ message, tool_calls, finish_reason }))(
        Object(codec?.decodeResponse(answer)),
      ),
    );
  },
);
