/** What a codec decodes it writes back to the last field, whatever the provider or a generator put there. */
import { type AnnotatedLlmRequest, builtinCodecs, codecNamed, type LlmRequest } from "@troupe/relay";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { requests } from "./payloads.ts";

const headers = { "x-test": "kept" };

/** The same to the last field and in the same order. */
function expectSame(request: LlmRequest, again: LlmRequest): void {
  expect(JSON.stringify(again)).toBe(JSON.stringify(request));
}

/** Values of a real payload, replaced here and there by anything, and with unknown fields among them. */
function bent(value: unknown): fc.Arbitrary<unknown> {
  const anything = fc.jsonValue({ maxDepth: 3 });
  const inside = (): fc.Arbitrary<unknown> => {
    if (Array.isArray(value))
      return fc.tuple(...value.map(bent)).chain((elements) => fc.shuffledSubarray(elements));
    if (typeof value !== "object" || value === null) return fc.constant(value);
    const known = fc.record(Object.fromEntries(Object.entries(value).map(([key, at]) => [key, bent(at)])));
    const more = fc.dictionary(fc.string({ maxLength: 5 }), anything, { maxKeys: 2 });
    return fc.tuple(known, more).map(([fields, others]) => ({ ...others, ...fields }));
  };
  return fc.oneof(
    { weight: 20, arbitrary: fc.constant(null).chain(inside) },
    { weight: 1, arbitrary: anything },
  );
}

describe.each(builtinCodecs.map((codec) => [codec.name, codec] as const))("%s", (name, codec) => {
  const content = requests[name];

  test("a recorded request comes back as it was", () => {
    const request = { headers, content };
    expectSame(request, codec.encode(codec.decode(request), request));
  });

  test("an annotation that went through JSON writes the same request", () => {
    const request = { headers, content };
    const carried: AnnotatedLlmRequest = JSON.parse(JSON.stringify(codec.decode(request)));
    expectSame(request, codec.encode(carried, request));
  });

  test("any request comes back as it was, with whatever is unknown or of another shape in it", () => {
    const requestsLike = bent(content).filter((value) => codecAccepts(value));
    fc.assert(
      fc.property(requestsLike, (bentContent) => {
        const request = { headers, content: bentContent };
        expectSame(request, codec.encode(codec.decode(request), request));
      }),
      { numRuns: 300 },
    );
  });

  test("any object comes back as it was", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const request = { headers, content: JSON.parse(JSON.stringify(object)) };
        expectSame(request, codec.encode(codec.decode(request), request));
      }),
    );
  });

  test("an edit of the params changes them alone", () => {
    const request = { headers, content };
    const annotated = codec.decode(request);
    const edited = codec.encode(
      { ...annotated, params: { ...annotated.params, temperature: 0.25 } },
      request,
    );
    const before = JSON.stringify(content);
    const was = JSON.stringify(annotated.params?.temperature);
    expect(JSON.stringify(edited.content)).toBe(before.replace(`"temperature":${was}`, '"temperature":0.25'));
    expect(codec.decode(edited).params?.temperature).toBe(0.25);
  });

  test("a new message is added, and all that was there stays as it was", () => {
    const request = { headers, content };
    const annotated = codec.decode(request);
    const more = { role: "user", content: "one more" };
    const edited = codec.encode({ ...annotated, messages: [...annotated.messages, more] }, request);
    expect(codec.decode(edited)).toEqual({ ...annotated, messages: [...annotated.messages, more] });
    const [, list = ""] =
      Object.entries(content).find(([key]) => /^(messages|input|contents)$/.test(key)) ?? [];
    const kept = JSON.stringify(list).slice(1, -1);
    expect(JSON.stringify(edited.content)).toContain(kept);
  });

  test("a message that is taken away is gone, and the others stay as they were", () => {
    const request = { headers, content };
    const annotated = codec.decode(request);
    const without = annotated.messages.toSpliced(-2, 1);
    expect(codec.decode(codec.encode({ ...annotated, messages: without }, request)).messages).toEqual(
      without,
    );
  });

  test("what is no object is refused by name", () => {
    for (const wrong of [null, "text", [], 1])
      expect(() => codecNamed(name).decode({ headers, content: wrong })).toThrow(
        `The codec ${name} can't read`,
      );
  });
});

function codecAccepts(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

test("an edit in a message keeps the fields that the codec has never heard of", () => {
  const codec = codecNamed("anthropic_messages");
  const content = {
    messages: [
      { role: "user", odd: 1, content: [{ type: "text", text: "old", cache_control: { type: "x" } }] },
    ],
  };
  const request = { headers, content };
  const { messages } = codec.decode(request);
  const text: unknown = JSON.parse(JSON.stringify(messages).replace("old", "new"));
  const edited = codec.encode({ messages: text as typeof messages }, request);
  expect(edited.content).toEqual(JSON.parse(JSON.stringify(content).replace("old", "new")));
});
