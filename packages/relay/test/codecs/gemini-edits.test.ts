/** Edits of Gemini's requests: contents mix calls and texts in any order, and what nobody edited stays the provider's own. */
import { type AnnotatedLlmRequest, codecNamed } from "@troupe/relay";
import fc from "fast-check";
import { expect, test } from "vitest";

const codec = codecNamed("gemini_generate_content");

/** The content after an edit, which must read as the edit says. */
function edited(content: object, edit: (annotated: AnnotatedLlmRequest) => AnnotatedLlmRequest): unknown {
  const request = { headers: {}, content: structuredClone(content) };
  const wanted = edit(codec.decode(request));
  const written = codec.encode(wanted, request);
  expect(codec.decode(written).messages).toEqual(wanted.messages);
  expect(request.content).toEqual(content);
  return written.content;
}

/** An edit of all texts of the annotation, as a redaction does it. */
function replaced(from: string, to: string) {
  return (annotated: AnnotatedLlmRequest): AnnotatedLlmRequest =>
    JSON.parse(JSON.stringify(annotated).replaceAll(from, to));
}

const call = { functionCall: { name: "f", args: { a: 1 } }, thoughtSignature: "SIG" };

test("a text behind a call is redacted where it stands, and the call keeps its signature", () => {
  const content = { contents: [{ role: "model", parts: [call, { text: "after ann@example.com" }] }] };
  expect(edited(content, replaced("ann@example.com", "[REDACTED]"))).toEqual({
    contents: [{ role: "model", parts: [call, { text: "after [REDACTED]" }] }],
  });
  expect(edited(content, replaced('{\\"a\\":1}', '{\\"a\\":2}'))).toEqual({
    contents: [
      {
        role: "model",
        parts: [
          { functionCall: { name: "f", args: { a: 2 } }, thoughtSignature: "SIG" },
          { text: "after ann@example.com" },
        ],
      },
    ],
  });
});

const rest = [
  { role: "model", parts: [call] },
  { role: "function", parts: [{ functionResponse: { name: "f", response: { r: 1 } } }] },
  { role: "function", parts: [{ functionResponse: { name: "g", response: { r: 2 } } }] },
];
const separate = { contents: [{ role: "user", parts: [{ text: "q" }] }, ...rest] };

test("answers in contents of their own stay there, with their role, whatever else is edited", () => {
  expect(edited(separate, replaced('"q"', '"Q"'))).toEqual({
    contents: [{ role: "user", parts: [{ text: "Q" }] }, ...rest],
  });
  const more = { role: "user", content: "more" };
  expect(edited(separate, (a) => ({ ...a, messages: [...a.messages, more] }))).toEqual({
    contents: [...separate.contents, { role: "user", parts: [{ text: "more" }] }],
  });
  expect(edited(separate, (a) => ({ ...a, messages: a.messages.toSpliced(0, 1) }))).toEqual({
    contents: rest,
  });
  expect(edited(separate, replaced('{\\"r\\":2}', '{\\"r\\":3}'))).toEqual(
    JSON.parse(JSON.stringify(separate).replace('"r":2', '"r":3')),
  );
});

test("functions stay in the entries of tools that they stand in", () => {
  const tools = [
    { functionDeclarations: [{ name: "a" }] },
    { googleSearch: {} },
    { functionDeclarations: [{ name: "b", behavior: "X" }] },
  ];
  expect(edited({ contents: [], tools }, replaced('"a"', '"A"'))).toEqual({
    contents: [],
    tools: [{ functionDeclarations: [{ name: "A" }] }, ...tools.slice(1)],
  });
  const c = { type: "function", function: { name: "c" } };
  expect(edited({ contents: [], tools }, (a) => ({ ...a, tools: [c, ...(a.tools ?? [])] }))).toMatchObject({
    tools: [{ functionDeclarations: [{ name: "c" }, { name: "a" }] }, ...tools.slice(1)],
  });
});

/** A part of each kind that says a word somewhere. */
const kinds: readonly ((word: string) => object)[] = [
  (word) => ({ text: word }),
  (word) => ({ text: word, thoughtSignature: "T" }),
  (word) => ({ text: word, thought: true }),
  (word) => ({ functionCall: { name: "f", args: { a: word } }, thoughtSignature: "C" }),
  (word) => ({ functionCall: { id: word, name: word, args: {} } }),
  (word) => ({ inlineData: { mimeType: "image/png", data: word } }),
  (word) => ({ functionResponse: { name: "f", response: { r: word } } }),
];
const parts = fc.array(fc.tuple(fc.constantFrom(...kinds), fc.constantFrom("a", "b", "c")), {
  minLength: 1,
  maxLength: 6,
});

test("an edit of any part of any mixture is written where it stands, the others byte for byte as they were", () => {
  fc.assert(
    fc.property(fc.array(parts, { minLength: 1, maxLength: 4 }), fc.nat(), (made, chosen) => {
      const target = made.flat()[chosen % made.flat().length];
      const contents = made.map((some) => ({
        role: "model",
        odd: 1,
        parts: some.map((one) => one[0](one === target ? "MARK" : one[1])),
      }));
      const written = edited({ contents }, replaced("MARK", "EDITED"));
      expect(JSON.stringify(written)).toBe(JSON.stringify({ contents }).replaceAll("MARK", "EDITED"));
    }),
    { numRuns: 150 },
  );
});

test("parts that are added and taken away leave the others as they were", () => {
  fc.assert(
    fc.property(parts, parts, (was, is) => {
      const contentOf = (made: typeof was) => ({
        contents: [{ role: "model", parts: made.map(([kind, word]) => kind(word)) }],
      });
      const { messages } = codec.decode({ headers: {}, content: contentOf(is) });
      edited(contentOf(was), (annotated) => ({ ...annotated, messages }));
    }),
    { numRuns: 150 },
  );
});
