/** Models that answer in chunks: who is told of the end, and of which. */
import { type LlmCodec, type LlmRequest, relayErrors } from "@troupe/relay";
import { expect, test } from "vitest";
import { codeOf, Driver } from "./driver/driver.ts";

const request: LlmRequest = { headers: {}, content: {} };

/** Chunks, and a note of how their generator ended. */
function counting(last: number, notes: string[] = []) {
  return async function* () {
    try {
      for (let n = 1; n <= last; n++) yield n;
      notes.push("ran out");
    } finally {
      notes.push("left");
    }
  };
}

/** Sums chunks up; a stream is whole behind the chunk 3. */
const summing: LlmCodec = {
  decode: ({ content }) => ({ asked: content }),
  encode: (annotated, original) => ({ ...original, content: Object(annotated).asked }),
  decodeResponse: (response) => ({ told: response }),
  collectStream: () => {
    const seen: unknown[] = [];
    return {
      add: (chunk) => seen.push(chunk),
      describe: (chunk) => ({ event_type: `n${String(chunk)}` }),
      end: () => ({ response: seen.join("+"), complete: seen.at(-1) === 3 }),
    };
  },
};

async function read(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const chunks: unknown[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

test("a generator is a provider: its chunks arrive one by one, its scope has marks and the finalizer's answer", async () => {
  const driver = new Driver();
  const seen: unknown[] = [];
  let finals = 0;
  const stream = await driver.relay.llmStreamCallExecute("l", request, counting(2), {
    collector: (chunk) => void seen.push(chunk),
    finalizer: async () => {
      finals += 1;
      return { all: seen.length };
    },
    modelName: "m",
  });
  expect(await read(stream)).toEqual([1, 2]);
  expect([await stream.next(), seen, finals]).toEqual([{ done: true, value: undefined }, [1, 2], 1]);
  expect(await driver.story()).toEqual([
    'start llm l {"headers":{},"content":{}}',
    'mark llm.chunk {"chunk_index":0}',
    'mark llm.chunk {"chunk_index":1}',
    'end llm l {"all":2}',
  ]);
  const end = await driver.find("l", "end");
  expect(end).toMatchObject({
    attributes: ["streaming"],
    category_profile: { model_name: "m", time_to_first_chunk: expect.any(Number) },
    metadata: { "otel.status_code": "OK" },
  });
  expect((await driver.find("llm.chunk", "mark")).parent_uuid).toBe(end.uuid);
});

test("nothing is read ahead: the provider runs as far as its caller reads", async () => {
  const { relay } = new Driver();
  let made = 0;
  const stream = await relay.llmStreamCallExecute("l", request, async function* () {
    for (;;) yield ++made;
  });
  expect([made, (await stream.next()).value, made]).toEqual([0, 1, 1]);
  await stream.close();
});

test.each([
  ["the codec hasn't seen its last chunk", { codec: summing }],
  ["no chunk was the last", { isLast: (chunk: unknown) => chunk === 3 }],
] as const)("a stream that is cut is an error, never a clean end: %s", async (_what, options) => {
  const driver = new Driver();
  const cut = await driver.relay.llmStreamCallExecute("l", request, counting(2), options);
  expect(await codeOf(read(cut))).toBe("relay.stream_truncated");
  expect((await driver.find("l", "end")).metadata).toMatchObject({ "error.type": "relay.stream_truncated" });
  const whole = await driver.relay.llmStreamCallExecute("l", request, counting(3), options);
  expect(await read(whole)).toEqual([1, 2, 3]);
});

test("a provider that throws: its caller gets that very error behind the chunks, the end event has what came", async () => {
  const driver = new Driver();
  const boom = new TypeError("boom");
  let finals = 0;
  const stream = await driver.relay.llmStreamCallExecute(
    "l",
    request,
    async function* () {
      yield 1;
      throw boom;
    },
    { codec: summing, finalizer: () => ++finals },
  );
  expect(await stream.next()).toEqual({ done: false, value: 1 });
  await expect(stream.next()).rejects.toBe(boom);
  expect([await stream.next(), finals]).toEqual([{ done: true, value: undefined }, 1]);
  expect(await driver.find("l", "end")).toMatchObject({
    data: 1,
    metadata: { "otel.status_code": "ERROR", "exception.type": "TypeError" },
  });
});

test("a caller that stops early cancels the provider, through intercepts, and the end event says so", async () => {
  const driver = new Driver();
  const notes: string[] = [];
  driver.relay.registerLlmStreamExecutionIntercept("around", async function* ({ request: given }, { next }) {
    try {
      yield* await next(given);
    } finally {
      notes.push("around left");
    }
  });
  const stream = await driver.relay.llmStreamCallExecute("l", request, (_request, { signal }) => {
    signal.addEventListener("abort", () => notes.push("told"));
    return counting(9, notes)();
  });
  for await (const chunk of stream) if (chunk === 2) break;
  expect((await driver.find("l", "end")).metadata).toMatchObject({ "error.type": "relay.stream_closed" });
  expect(notes.sort()).toEqual(["around left", "left", "told"]);
});

test("a caller that stops behind the whole response has closed nothing early", async () => {
  const driver = new Driver();
  const stream = await driver.relay.llmStreamCallExecute("l", request, counting(9), { codec: summing });
  for await (const chunk of stream) if (chunk === 3) break;
  expect(await driver.find("l", "end")).toMatchObject({
    data: "1+2+3",
    metadata: { "otel.status_code": "OK" },
    category_profile: { annotated_response: { told: "1+2+3" } },
  });
});

test("the caller's signal ends a stream that hangs, and one that nobody reads; the next read is told", async () => {
  const driver = new Driver();
  const { relay } = driver;
  const giveUp = async (reading: boolean) => {
    const caller = new AbortController();
    const stream = await relay.llmStreamCallExecute(
      "l",
      request,
      async function* () {
        yield 1;
        await new Promise(() => {});
      },
      { signal: caller.signal },
    );
    await stream.next();
    const pending = reading ? codeOf(stream.next()) : undefined;
    caller.abort();
    expect(await (pending ?? codeOf(stream.next()))).toBe("relay.aborted");
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  };
  await giveUp(true);
  await giveUp(false);
  const ends = (await driver.story()).filter((line) => line.startsWith("end"));
  expect(ends).toEqual(["end llm l null", "end llm l null"]);
});

test("intercepts go around streams: outermost first, next revoked when their stream is over", async () => {
  const { relay } = new Driver();
  let late: (() => Promise<unknown>) | undefined;
  relay.registerLlmStreamExecutionIntercept("twice", async function* ({ request: given }, { next }) {
    late = () => next(given);
    for await (const chunk of await next(given)) yield `${String(chunk)}!`;
    for await (const chunk of await next(given)) yield `${String(chunk)}?`;
  });
  relay.registerLlmStreamExecutionIntercept("tens", async ({ request: given }, { next }) => {
    const chunks = await next(given);
    return (async function* () {
      for await (const chunk of chunks) yield Number(chunk) * 10;
    })();
  });
  const stream = await relay.llmStreamCallExecute("l", request, counting(2));
  expect(await read(stream)).toEqual(["10!", "20!", "10?", "20?"]);
  expect(await codeOf(late?.() ?? Promise.resolve())).toBe("relay.next_revoked");
});

test("S5.6 (in part) each poll of a stream runs in the model's scope, whoever reads: provider, intercept and collector", async () => {
  const { relay } = new Driver();
  const seen: string[] = [];
  const see = (what: string): void => void seen.push(`${what} ${relay.getHandle().name}`);
  relay.registerLlmStreamExecutionIntercept("around", async function* ({ request: given }, { next }) {
    for await (const chunk of await next(given)) {
      see("around");
      yield chunk;
    }
  });
  const provider = async function* () {
    see("provider");
    yield 1;
    await Promise.resolve();
    see("provider");
  };
  const options = { collector: (): void => see("collector"), finalizer: (): void => see("finalizer") };
  const stream = await relay.withScope("opener", "agent", () =>
    relay.llmStreamCallExecute("model", request, provider, options),
  );
  await relay.withScope("reader", "agent", async () => {
    await read(stream);
    see("reader");
  });
  expect(seen).toEqual([
    ...["provider model", "around model", "collector model", "provider model", "finalizer model"],
    "reader reader",
  ]);
});

test("reads at once are answered in order", async () => {
  const { relay } = new Driver();
  const stream = await relay.llmStreamCallExecute("l", request, counting(2));
  const answers = await Promise.all([stream.next(), stream.next(), stream.next(), stream.next()]);
  expect(answers.map(({ value }) => value)).toEqual([1, 2, undefined, undefined]);
});

test.each([
  ["a provider that answers no stream", (): unknown => "chunks", "relay.bad_answer"],
  [
    "a provider that throws at once",
    (): unknown => {
      throw relayErrors.nameMalformed(1);
    },
    "relay.name_malformed",
  ],
] as const)("opening fails: %s", async (_what, provider, code) => {
  const driver = new Driver();
  const call = driver.relay.llmStreamCallExecute("l", request, provider as never);
  expect(await codeOf(call)).toBe(code);
  expect((await driver.find("l", "end")).metadata).toMatchObject({ "error.type": code });
});

test.each(["collector", "finalizer"] as const)(
  "a %s that throws ends the stream with its error, and no process",
  async (part) => {
    const driver = new Driver();
    const stream = await driver.relay.llmStreamCallExecute("l", request, counting(2), {
      [part]: () => {
        throw new Error("broken");
      },
    });
    expect(await codeOf(read(stream))).toBe("relay.collector_failed");
    expect(await driver.story()).toContain("end llm l null");
  },
);

test("a refused stream opens nothing; guardrails and request intercepts are those of other calls", async () => {
  const { relay } = new Driver();
  const guard = relay.registerLlmConditionalExecutionGuardrail("no", () => "no");
  expect(await codeOf(relay.llmStreamCallExecute("l", request, () => expect.unreachable()))).toBe(
    "relay.guardrail_rejected",
  );
  guard.deregister();
  relay.registerLlmRequestIntercept("last", () => ({ request: { headers: {}, content: 1 } }));
  const stream = await relay.llmStreamCallExecute("l", request, ({ content }) => counting(Number(content))());
  expect(await read(stream)).toEqual([1]);
});

test("an abort while the provider opens its stream, or as it is called: one start, one end, and no chunk", async () => {
  for (const opens of ["at once", "later"]) {
    const driver = new Driver();
    const { relay } = driver;
    const abort = new AbortController();
    let returned = 0;
    const chunks = {
      [Symbol.asyncIterator]: () => chunks,
      next: () => Promise.resolve({ done: false, value: "chunk" }),
      return: () => {
        returned += 1;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
    const provider = () => {
      abort.abort();
      return opens === "at once" ? chunks : Promise.resolve(chunks);
    };
    const request = { headers: {}, content: {} };
    const opening = relay.llmStreamCallExecute("m", request, provider, { signal: abort.signal });
    expect(await codeOf(opening)).toBe("relay.aborted");
    const story = await driver.story();
    expect(story.map((line) => line.split(" ").slice(0, 3).join(" "))).toEqual(["start llm m", "end llm m"]);
    expect(driver.events[1]?.metadata).toMatchObject({ "error.type": "relay.aborted" });
    if (opens === "at once") expect(returned).toBe(1);
  }
});

test("a stream that is cut without a reason is cut: its caller is thrown it, and its end says ERROR", async () => {
  const driver = new Driver();
  let pulls = 0;
  const chunks = new ReadableStream({
    pull: (source) => {
      pulls += 1;
      if (pulls === 1) source.enqueue(1);
      else source.error();
    },
  });
  const stream = await driver.relay.llmStreamCallExecute("l", request, () => chunks);
  await stream.next();
  const second = stream.next().then(
    () => "ended",
    (error: unknown) => ["threw", error],
  );
  expect(await second).toEqual(["threw", undefined]);
  await driver.story();
  expect(driver.events.at(-1)?.metadata).toMatchObject({ "otel.status_code": "ERROR" });
});

test("an iterator that answers nothing is refused by name", async () => {
  const driver = new Driver();
  const answersNothing = async (): Promise<IteratorResult<unknown>> => JSON.parse("null");
  const stream = await driver.relay.llmStreamCallExecute("l", request, () => ({
    [Symbol.asyncIterator]: () => ({ next: answersNothing }),
  }));
  expect(await codeOf(stream.next())).toBe("relay.bad_answer");
});

test("a stream keeps the sanitizers of its chunks that it began with, also behind the scope that had them", async () => {
  const driver = new Driver();
  const { relay } = driver;
  const stream = await relay.withScope("session", "agent", (scope) => {
    const handle = () => ({ data: "clean", metadata: null, category_profile: null });
    relay.registerMarkSanitizeGuardrail("clean", handle, { scope });
    return relay.llmStreamCallExecute("l", request, counting(2));
  });
  await read(stream);
  const marks = (await driver.story()).filter((line) => line.startsWith("mark"));
  expect(marks).toEqual(['mark llm.chunk "clean"', 'mark llm.chunk "clean"']);
});

test("a finalizer that hangs is given up when its caller gives up: the read is told, and the end event is there", async () => {
  const driver = new Driver();
  const giveUp = new AbortController();
  const asked = Promise.withResolvers<void>();
  const stream = await driver.relay.llmStreamCallExecute("l", request, counting(1), {
    signal: giveUp.signal,
    finalizer: () => {
      asked.resolve();
      return new Promise(() => {});
    },
  });
  await stream.next();
  const last = codeOf(stream.next());
  await asked.promise;
  giveUp.abort();
  expect(await last).toBe("relay.aborted");
  expect((await driver.story()).at(-1)).toContain("end llm l");
});
