/** Intercepts around the streams of model calls, and middleware that answers a client in the provider's place while it waits for a stream. */
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import type { Logger } from "@troupe/base";
import type { Relay, RelayEvent } from "@troupe/relay";
import { providerOf } from "@troupe/relay/model-proxy";
import { createParser } from "eventsource-parser";
import { expect, test } from "vitest";
import { Gateway } from "../src/gateway/gateway.ts";
import { readOptions } from "../src/gateway/options.ts";
import { linesOf, post, start } from "./support/gateway-calls.ts";
import { PluginFolder } from "./support/plugin-folder.ts";
import { ScriptedProvider } from "./support/provider.ts";
import { recorded, recordedList } from "./support/recorded-streams.ts";

type Answer = Parameters<typeof ScriptedProvider.start>[0];

/** A gateway with this middleware, and what its clients and its trace get of a stream. */
async function guarded(answer: Answer, register: (relay: Relay) => void, log?: Logger) {
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
  const gateway = await Gateway.start(options, {
    agent: { token: "a-secret-of-its-own", session: "s", listen },
    log,
  });
  const ask = async (path: string, body = '{"stream":true}') => {
    const answered = await fetch(gateway.url + path, { method: "POST", body });
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

/** Gives on what it gets, as it is. */
const idle = (relay: Relay): void =>
  void relay.registerLlmStreamExecutionIntercept("idle", async function* ({ request }, { next }) {
    for await (const chunk of await next(request)) yield structuredClone(chunk);
  });

const odd = Buffer.from(
  'event: message_start\ndata: {"type": "message_start", "n": 12345678901234567890}\n\n' +
    'event: content_block_delta\nid: 8\ndata: {"type":"content_block_delta","delta":{"text":"Grüße"},"n":[1.0,1e400,-0]}\n\n' +
    'data: {"type":"twice",\ndata:  "n":1e2}\n\n',
);

test.each([
  ...recorded.filter(([path]) => !path.includes("alt=sse")),
  recordedList,
  ["/v1/messages", odd] as const,
])("%s: chunks that an intercept leaves as they are stay the bytes that came", async (path, stream) => {
  if (path.includes("v1beta/models/m-1:streamGenerateContent?")) return;
  const type = path === recordedList[0] ? "application/json" : "text/event-stream";
  const { ask, end } = await guarded(streamOf(stream, { "content-type": type }), idle);
  expect((await ask(path)).body).toBe(`${stream}`);
  await end();
});

test("a chunk that was changed keeps the numbers that weren't, and one that says a thing twice says it once", async () => {
  const twice = 'data: {"text":"UNSEEN","text":"seen"}\n\n';
  const { ask, end } = await guarded(streamOf(Buffer.concat([odd, Buffer.from(twice)])), greeting);
  const { body } = await ask("/v1/messages");
  await end();
  expect(body.split("\n\n")).toEqual([
    'event: message_start\ndata: {"type": "message_start", "n": 12345678901234567890}',
    'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"text":"Hallo"},"n":[1.0,1e400,-0]}',
    'data: {"type":"twice",\ndata:  "n":1e2}',
    'data: {"text":"seen"}',
    "",
  ]);
});

/** Two writes, of which the second waits for the first one's way. */
function cutAt(list: Buffer, at: number): Answer {
  return (_request, response) => {
    response.writeHead(200, { "content-type": "application/json; charset=UTF-8" });
    response.write(list.subarray(0, at), () => setImmediate(() => response.end(list.subarray(at))));
  };
}

test("a list that Gemini streams has chunks, wherever it is cut: an intercept goes around each, and the trace has its tokens and tools", async () => {
  const [path, list] = recordedList;
  for (const at of [1, 40, list.indexOf("ü") + 1, list.indexOf("\r"), list.length - 2]) {
    const calls: unknown[] = [];
    const { ask, end, ends } = await guarded(cutAt(list, at), (relay) => {
      greeting(relay);
      relay.registerSubscriber("calls", ({ name, data }) => name === "llm.tool_call" && calls.push(data));
    });
    const { body, headers } = await ask(path);
    await end();
    expect(headers.get("content-type")).toMatch(/^application\/json/);
    expect(JSON.parse(body)).toEqual(JSON.parse(`${list}`.replace("Grüße", "Hallo")));
    expect(body).toContain("12345678901234567890");
    expect(ends).toMatchObject([
      {
        metadata: { "otel.status_code": "OK" },
        category_profile: {
          annotated_response: { model: "m-1", usage: { prompt_tokens: 7, completion_tokens: 2 } },
        },
      },
    ]);
    expect(calls).toMatchObject([{ tool_name: "ls" }]);
  }
  const { ask, end, ends } = await guarded(cutAt(list, 40), () => {});
  expect((await ask(path)).body).toBe(`${list}`);
  await end();
  expect(ends).toMatchObject([
    {
      metadata: { "otel.status_code": "OK" },
      category_profile: { annotated_response: { usage: { prompt_tokens: 7, completion_tokens: 2 } } },
    },
  ]);
});

const [, [messagesPath, messagesStream] = ["", Buffer.from("")]] = recorded;

test.each([
  ["text/plain", messagesPath, messagesStream, '{"stream":true}'],
  [
    "application/json",
    messagesPath,
    Buffer.concat([Buffer.from("\uFEFF"), messagesStream]),
    '{"stream":true}',
  ],
  [
    "application/x-ndjson",
    messagesPath,
    Buffer.concat([Buffer.from("\r\n\n"), messagesStream]),
    '{"stream":1}',
  ],
  [undefined, messagesPath, messagesStream, '{"stream":"true"}'],
  ["text/event-stream", messagesPath, messagesStream, '{"stream":1}'],
  ["application/json", `${recordedList[0]}?alt=sse`, recordedList[1], "{}"],
] as const)(
  "a stream is shown to intercepts whatever it is called: %s of %s",
  async (type, path, stream, asking) => {
    for (const packed of [false, true])
      for (const at of [1, 3, 40]) {
        const sent = packed ? gzipSync(stream) : stream;
        const headers = {
          ...(type === undefined ? {} : { "content-type": type }),
          ...(packed ? { "content-encoding": "gzip" } : {}),
        };
        const { ask, end, ends } = await guarded((_request, response) => {
          response.writeHead(200, headers);
          response.write(sent.subarray(0, at), () => setImmediate(() => response.end(sent.subarray(at))));
        }, greeting);
        const { status, body, headers: got } = await ask(path, asking);
        await end();
        expect([status, got.get("content-type")]).toEqual([200, type ?? null]);
        expect(body).toContain("Hallo");
        expect(body).not.toContain("Grüße");
        expect(ends).toMatchObject([{ category_profile: { annotated_response: { model: "m-1" } } }]);
      }
  },
);

test.each([
  ["in one piece", 200, '{"type":"message","content":"Grüße"}'],
  ["a word", 200, '"ok"'],
  ["nothing", 200, ""],
  ["a page of a refusal", 500, "<html>Grüße</html>"],
  ["a refusal that is a list", 429, '[{"error":{"message":"Grüße"}}]'],
])("what is no stream stays the bytes that came, packed or not: %s", async (_what, code, text) => {
  for (const sent of [Buffer.from(text), gzipSync(text), Buffer.alloc(0)]) {
    const encoding = sent.equals(Buffer.from(text)) ? {} : { "content-encoding": "gzip" };
    const { ask, end } = await guarded(
      (_request, response) =>
        void response.writeHead(code, { "content-type": "application/json", ...encoding }).end(sent),
      greeting,
    );
    expect(await ask(messagesPath)).toMatchObject({ status: code, body: sent.length === 0 ? "" : text });
    await end();
  }
});

test("a request that an intercept gives on as a copy stays the bytes that came, packed or not", async () => {
  const body = '{ "b":1.0,"0":[12345678901234567890,12345678901234567891],"s":"\\u00e9\\/" }';
  const packed = Buffer.from(gzipSync(body));
  const provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const listen = (relay: Relay): void =>
    void relay.registerLlmRequestIntercept("copy", ({ request }) => ({ request: structuredClone(request) }));
  const options = readOptions({ bind: "127.0.0.1:0", upstream: [provider.url] }, { cwd: "/" });
  const gateway = await Gateway.start(options, {
    agent: { token: "a-secret-of-its-own", session: "s", listen },
  });
  const url = `${gateway.url}/v1/chat/completions`;
  for (const [sent, headers] of [
    [body, {}],
    [packed, { "content-encoding": "gzip" }],
  ] as const) {
    await (await fetch(url, { method: "POST", body: sent, headers })).text();
    expect(Buffer.from(provider.received.at(-1)?.body ?? "")).toEqual(Buffer.from(sent));
    expect(provider.received.at(-1)?.headers).toEqual(expect.arrayContaining(Object.values(headers)));
  }
  await gateway[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});

test("a request that an intercept changed keeps the numbers that it didn't, packed or long", async () => {
  const body = '{"model":"m-1","messages":[{"n":[12345678901234567890,1.0,1e400]}]}';
  const long = `{"x":"${"x".repeat(17 * 1024 * 1024)}",${body.slice(1)}`;
  const got: string[] = [];
  const provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const listen = (relay: Relay): void =>
    void relay.registerLlmRequestIntercept("add", ({ request }) => ({
      request: { ...request, content: { ...structuredClone(Object(request.content)), added: true } },
    }));
  const options = readOptions({ bind: "127.0.0.1:0", upstream: [provider.url] }, { cwd: "/" });
  const gateway = await Gateway.start(options, {
    agent: { token: "a-secret-of-its-own", session: "s", listen },
  });
  const ask = async (sent: string | Buffer<ArrayBuffer>, headers = {}): Promise<void> => {
    const url = `${gateway.url}/v1/chat/completions`;
    await (await fetch(url, { method: "POST", body: sent, headers })).text();
    got.push(`${provider.received.at(-1)?.body}`);
  };
  await ask(body);
  await ask(gzipSync(body) as Buffer<ArrayBuffer>, { "content-encoding": "gzip" });
  await ask(long);
  await gateway[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
  const added = (text: string): string => `${text.slice(0, -1)},"added":true}`;
  expect(got).toEqual([added(body), added(body), added(long)]);
});

test("of such a list an intercept may leave all out, say more, or answer alone; what is none is cut, and what was cut stays so", async () => {
  const [path, list] = recordedList;
  const got = async (sent: Buffer | string, answer: (chunks: AsyncIterable<unknown>) => AsyncGenerator) => {
    const { ask, end, ends } = await guarded(
      streamOf(Buffer.from(sent), { "content-type": "application/json" }),
      (relay) => {
        relay.registerLlmStreamExecutionIntercept("own", async function* ({ request }, { next }) {
          const chunks = {
            [Symbol.asyncIterator]: async function* () {
              yield* await next(request);
            },
          };
          yield* answer(chunks);
        });
      },
    );
    const { body, headers } = await ask(path);
    await end();
    return { body, type: headers.get("content-type"), ends };
  };
  const more = async function* (chunks: AsyncIterable<unknown>) {
    yield 0;
    yield* chunks;
    yield "1";
  };
  const all = async function* (chunks: AsyncIterable<unknown>) {
    yield* chunks;
  };
  expect(
    (
      await got(list, async function* (chunks) {
        for await (const chunk of chunks) if (chunk === undefined) yield chunk;
      })
    ).body,
  ).toBe("[\n]\n");
  expect((await got("[]", all)).body).toBe("[]");
  expect(JSON.parse((await got("[ ]", more)).body)).toEqual([0, "1"]);
  expect(JSON.parse((await got(list, more)).body)).toEqual([0, ...JSON.parse(`${list}`), "1"]);
  expect(
    await got(list, async function* () {
      yield { n: 1 };
    }),
  ).toMatchObject({
    body: '[{"n":1}]',
    type: "application/json; charset=utf-8",
  });
  for (const none of ['[{"n":1}{"n":2}]', "[1,]", "[1] 2"]) expect((await got(none, all)).body).toBe("cut");
  for (const none of ['{"candidates":[]}', "<html>"])
    expect((await got(none, all)).body).toContain("gateway.upstream_unread");
  const cut = await got(list.subarray(0, -3), all);
  expect(cut.body).toBe(`${list}`.slice(0, -3));
  expect(cut.ends).toMatchObject([{ metadata: { "otel.status_code": "ERROR" } }]);
});

test.each(["\n", "\r", "\r\n"])("no chunk is two events, whatever its type says (%j)", async (end) => {
  const unseen = `data: {"type":"content_block_delta","delta":{"text":"UNSEEN"}}`;
  const chunk = { type: ["message_delta", unseen, "", "event: ping"].join(end), n: 1 };
  const sent = Buffer.from(`event: message_delta\ndata: ${JSON.stringify(chunk)}\n\n`);
  const shown: unknown[] = [];
  const { ask, end: over } = await guarded(streamOf(sent), (relay) => {
    relay.registerLlmStreamExecutionIntercept("look", async function* ({ request }, { next }) {
      for await (const one of await next(request)) {
        shown.push(one);
        yield { ...Object(one), seen: true };
      }
      // Its own say no more either.
      yield { type: `x${end}${end}${unseen}` };
    });
  });
  const { body } = await ask("/v1/messages");
  await over();
  expect(shown).toEqual([chunk]);
  expect(eventsOf(body).map(({ data }) => JSON.parse(data))).toEqual([
    { ...chunk, seen: true },
    { type: `x${end}${end}${unseen}` },
  ]);
});

/** Keeps its warnings. */
function loggerTo(lines: string[]): Logger {
  const silent = (): void => {};
  const warn = (text: string): void => void lines.push(text);
  const logger: Logger = { debug: silent, info: silent, error: silent, warn, child: () => logger };
  return logger;
}

/** Goes around the call as a worker does: what it gives on is a copy, and comes late. */
const elsewhere = (relay: Relay): void =>
  void relay.registerLlmExecutionIntercept("elsewhere", async ({ request }, { next }) => {
    try {
      return await next(request);
    } catch (error) {
      for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
      throw error;
    }
  });

test.each([
  ["alone", (): void => {}],
  ["below an execution intercept", elsewhere],
] as const)(
  "who failed is said: the intercept by its name, in trace, mark and log; %s",
  async (_how, around) => {
    const [, [path, stream] = ["", Buffer.from("")]] = recorded;
    const lines: string[] = [];
    const marks: RelayEvent[] = [];
    const { ask, end, ends } = await guarded(
      streamOf(stream),
      (relay) => {
        around(relay);
        relay.registerLlmStreamExecutionIntercept("frail", async function* ({ request }, { next }) {
          for await (const chunk of await next(request)) {
            yield chunk;
            throw new Error("lost its way");
          }
        });
        relay.registerSubscriber("marks", (event) => void (event.kind === "mark" && marks.push(event)));
      },
      loggerTo(lines),
    );
    expect((await ask(path)).body).toBe("cut");
    await end();
    const said = 'The llm_stream_execution_intercept "frail" failed';
    expect(ends).toMatchObject([
      { metadata: { "error.type": "relay.middleware_failed", "otel.status_description": said } },
    ]);
    const [mark] = marks.filter(({ metadata }) => metadata?.["error.type"] === "relay.middleware_failed");
    expect(mark?.metadata?.["otel.status_description"]).toBe(`${said}: lost its way`);
    expect(lines).toEqual([`${said}; more of it isn't logged`]);
  },
);

test.each(
  [
    ["alone", (): void => {}],
    ["below an execution intercept", elsewhere],
  ].flatMap(([how, around]) => [false, true].map((packed) => [how, around, packed] as const)),
)("who failed is said: the provider that cut its stream; %s (packed: %j)", async (_how, around, packed) => {
  const [, [path, stream] = ["", Buffer.from("")]] = recorded;
  const sent = packed ? gzipSync(stream).subarray(0, -12) : stream;
  const headers = { "content-type": "text/event-stream", ...(packed ? { "content-encoding": "gzip" } : {}) };
  const { ask, end, ends } = await guarded(
    (_request, response) => {
      response.writeHead(200, { ...headers, "content-length": 10_000 });
      response.write(sent, () => setImmediate(() => response.destroy()));
    },
    (relay) => {
      idle(relay);
      if (typeof around === "function") around(relay);
    },
  );
  expect((await ask(path)).body).toBe("cut");
  await end();
  expect(ends).toMatchObject([{ metadata: { "error.type": "gateway.upstream_cut" } }]);
});

test("who failed is said: the provider whose stream can't be read", async () => {
  const [, [path, stream] = ["", Buffer.from("")]] = recorded;
  const sent: readonly (readonly [Buffer, string | undefined, string])[] = [
    [Buffer.from('data: {"type":\n\n'), undefined, "cut"],
    [stream, "gzip", "cut"],
    [stream, "rot13", "its encoding is rot13"],
  ];
  for (const [body, encoding, answer] of sent) {
    const headers = encoding === undefined ? {} : { "content-encoding": encoding };
    const { ask, end, ends } = await guarded(streamOf(body, headers), (relay) => {
      idle(relay);
      elsewhere(relay);
    });
    expect((await ask(path)).body).toContain(answer);
    await end();
    expect(ends).toMatchObject([{ metadata: { "error.type": "gateway.upstream_unread" } }]);
  }
});

test("a worker's stream intercept that throws is named and counted; what its provider did isn't laid to it", async () => {
  using folder = new PluginFolder();
  const plugin = folder.worker(
    "frail",
    `{ kind: "llm_stream_execution_intercept", name: "stream", handle: async function* ({ request }, { next }) {
         for await (const chunk of await next(request)) {
           yield chunk;
           if (request.content.model === "throw") throw new Error("lost its way");
         }
       } },
     { kind: "llm_execution_intercept", name: "around", handle: ({ request }, { next }) => next(request) }`,
  );
  const atof = folder.write("trace.jsonl", "");
  const [, [path, stream] = ["", Buffer.from("")]] = recorded;
  await using provider = await ScriptedProvider.start((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream", "content-length": 10_000 });
    response.write(stream, () => setImmediate(() => response.destroy()));
  });
  const gateway = await start(provider, { atof, plugin: [plugin] });
  for (const model of ["throw", "cut"]) {
    const answer = await post(gateway.url + path, JSON.stringify({ stream: true, model }));
    await expect(buffer(answer)).rejects.toThrow("aborted");
  }
  const { plugins } = Object(await (await fetch(`${gateway.origin}/plugins`)).json());
  await gateway[Symbol.asyncDispose]();
  const ends = linesOf(atof).filter(
    ({ scope_category: end, name }) => end === "end" && name.startsWith("anthropic"),
  );
  expect(ends.map(({ metadata }) => metadata["error.type"])).toEqual([
    "relay.middleware_failed",
    "gateway.upstream_cut",
  ]);
  expect(ends[0]?.metadata["otel.status_description"]).toContain('"frail/stream" failed');
  // Of four calls the one that threw; what its provider cut, and what another has thrown to it, it gave on.
  expect(plugins).toMatchObject([{ id: "frail", calls: 4, failures: 1 }]);
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
