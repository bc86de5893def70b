/** JSON as a gateway must keep it: a list that is cut anywhere, numbers that no double holds, keys that stand twice. */

import { limits } from "@troupe/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CameChunks } from "../src/model-proxy/came-chunks.ts";
import { exactJson, saysWhat } from "../src/model-proxy/exact-json.ts";
import { ListElements } from "../src/model-proxy/list-elements.ts";
import { repeatedKey } from "../src/model-proxy/repeated-key.ts";

/** All that is told of a list that comes in these parts. */
function read(parts: readonly string[]) {
  const told: string[] = [];
  const values: unknown[] = [];
  const elements = new ListElements((json, before) => {
    told.push(before, json);
    values.push(JSON.parse(json));
  });
  for (const part of parts) elements.add(part);
  return { text: told.join("") + (elements.last ?? "…"), values };
}

test("a list is the same wherever it is cut", () => {
  const lists = [
    '\uFEFF [ {"a":"\\"}]\\\\"}\r\n,\n[[1],{"b":[]}] , 12 ,-1.5e3,true,null,"x,]" ]\n ',
    "[]",
    " [ \n ] ",
    '[{"text":"👋 \\u00fc"}]',
    "[1]",
  ];
  for (const list of lists)
    for (let one = 0; one <= list.length; one += 1)
      for (let two = one; two <= list.length; two += 1)
        expect(read([list.slice(0, one), list.slice(one, two), list.slice(two)])).toEqual({
          text: list,
          values: JSON.parse(list.replace("\uFEFF", "")),
        });
});

test("any list in JSON is read, and what is none is refused or hasn't ended", () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.nat(3), fc.nat(), (list, indent, at) => {
      const text = JSON.stringify(list, null, indent);
      const cut = at % (text.length + 1);
      expect(read([text.slice(0, cut), text.slice(cut)])).toEqual({ text, values: JSON.parse(text) });
      if (cut < text.length) expect(read([text.slice(0, cut)]).text.endsWith("…")).toBe(true);
    }),
  );
  for (const none of [
    "{}",
    "1",
    "[,1]",
    "[1,,2]",
    "[1,]",
    "[1]]",
    "[1] 2",
    '["a" "b"]',
    "[{}{}]",
    "[1 2]",
    "x",
    ",",
  ])
    expect(() => read([none]), none).toThrow(SyntaxError);
});

test.each<[then: string, change: (value: unknown) => unknown, now: string]>([
  [
    '{"id":12345678901234567890,"n":1.0}',
    (it) => ({ ...Object(it), more: 1 }),
    '{"id":12345678901234567890,"n":1.0,"more":1}',
  ],
  ['{"id":12345678901234567890}', () => ({ id: 7 }), '{"id":7}'],
  ['{"n":[1e400,-0,1E2,0.10]}', (it) => JSON.parse(JSON.stringify(it)), '{"n":[1e400,-0,1E2,0.10]}'],
  // By place in a list, from the end at which none was added.
  ["[[1.0],[2.0],[3.0]]", (it) => [[0], ...Object(it)], "[[0],[1.0],[2.0],[3.0]]"],
  ["[[1.0],[2.0],[3.0]]", (it) => [...Object(it), [4]], "[[1.0],[2.0],[3.0],[4]]"],
  ["[[1.0],[2.0],[3.0]]", (it) => [Object(it)[0], Object(it)[2]], "[[1.0],[3.0]]"],
  ["[[1.0],2.0]", () => [2, [1]], "[2,[1]]"],
  // A number that is written anew isn't taken for one that was there.
  ['{"t":1.0,"e":1e400}', () => ({ t: 2, n: 1, e: 0, m: null }), '{"t":2,"n":1,"e":0,"m":null}'],
  ['{"x":{"toJSON":2.0}}', (it) => ({ ...Object(it), y: 1 }), '{"x":{"toJSON":2.0},"y":1}'],
  // A long id is known wherever it was moved, if no other is the same double.
  [
    '[{"id":12345678901234567890},{"id":22345678901234567891},{"id":3}]',
    (it) => [{ id: Object(it)[1].id, seen: true }, Object(it)[0]],
    '[{"id":22345678901234567891,"seen":true},{"id":12345678901234567890}]',
  ],
  ['{"__proto__":{"n":1.0},"s":"1.0"}', (it) => it, '{"__proto__":{"n":1.0},"s":"1.0"}'],
  ['{"at":1.0}', () => ({ at: new Date(0) }), '{"at":"1970-01-01T00:00:00.000Z"}'],
  ["1.0", () => null, "null"],
])("%s keeps its numbers", (then, change, now) => {
  expect(exactJson(change(JSON.parse(then)), then)).toBe(now);
});

/** Two ids that are one double. */
const neighbours = '[{"id":12345678901234567890,"text":"a"},{"id":12345678901234567891,"text":"b"},{"id":3}]';
const rounded = "12345678901234567000";

test.each<[what: string, change: (list: readonly object[]) => unknown]>([
  ["reversed", (list) => list.toReversed()],
  ["without the first", (list) => list.slice(1)],
  ["without the last, and changed", (list) => list.slice(0, 2).map((one) => ({ ...one, text: "" }))],
  ["changed in their places", (list) => list.map((one) => ({ ...one, seen: true }))],
  ["with one more", (list) => [{ id: 4 }, ...list]],
])("of two ids that are one double none is written for the other: %s", (_what, change) => {
  for (const wrap of [(list: unknown) => list, (list: unknown) => ({ a: 1, list })]) {
    const now = exactJson(
      wrap(change(JSON.parse(neighbours))),
      JSON.stringify(wrap("it")).replace('"it"', neighbours),
    );
    expect(now).toContain(rounded);
    expect(now).not.toMatch(/1234567890123456789[01]/);
  }
  const beside = exactJson(
    { list: JSON.parse(neighbours), text: "new" },
    `{"list":${neighbours},"text":"old"}`,
  );
  expect(beside).toBe(`{"list":${neighbours},"text":"new"}`);
  expect(exactJson([null, 1], "[1e400,null]")).toBe("[null,1]");
});

test.each<[text: string, change: (value: unknown) => unknown, same: boolean]>([
  [
    '{ "b":1.0,"0":[1e400, -0, null],"\\u00e9":{"__proto__":"\\/"} }',
    (it) => JSON.parse(JSON.stringify(it)),
    true,
  ],
  ['{"a":1,"b":2}', () => ({ b: 2, a: 1 }), true],
  ['{"a":1}', () => ({ a: 1, b: undefined }), true],
  ['{"a":null}', () => ({}), false],
  ['{"a":1}', () => ({ a: 1, b: null }), false],
  ["[1,2]", () => [2, 1], false],
  ['{"a":{"b":"1"}}', () => ({ a: { b: 1 } }), false],
  ["null", () => undefined, false],
])("%s was changed, or wasn't (%#)", (text, change, same) => {
  expect(saysWhat(change(JSON.parse(text)), text)).toBe(same);
});

test("what is read and written exactly says the same", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (now, then) => {
      expect(JSON.parse(exactJson(now, JSON.stringify(then)))).toEqual(JSON.parse(JSON.stringify(now)));
    }),
  );
});

test.each<[text: string, key: string | undefined]>([
  ['{"a":1,"b":{"a":1},"c":[{"a":1},{"a":2}]}', undefined],
  ['{"a":1,"b":2,"a":3}', "a"],
  ['{"a":[{"b":{"c":1, "c" :2}}]}', "c"],
  ['{"a":1,"\\u0061":2}', "a"],
  ['{"a\\\\":1,"a\\"":2,"a":"\\\\","b":"\\"a\\":{"}', undefined],
  ['["a","a",{"a":"a"},"a"]', undefined],
  ['{"":1,"":2}', ""],
  ['{"__proto__":1,"__proto__":2}', "__proto__"],
  [`{${Array.from({ length: 40 }, (_, n) => `"k${n}":{"k${n}":0}`).join()},"k39":0}`, "k39"],
  [`${"[".repeat(1e5)}${"]".repeat(1e5)}`, undefined],
])("a key that stands twice is found (%#)", (text, key) => {
  expect(repeatedKey(text)).toBe(key);
});

test("JSON that was written from values repeats no key, and with one more of any object's it does", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), fc.nat(2), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      expect(repeatedKey(text)).toBeUndefined();
      const [key = ""] = Object.keys(JSON.parse(text));
      expect(repeatedKey(`[{${JSON.stringify(key)}:0,${text.trim().slice(1)}]`)).toBe(key);
    }),
  );
});

test("so many chunks are remembered, and the oldest forgotten", () => {
  const chunks = new CameChunks();
  for (let n = 0; n <= limits.gatewayChunksRemembered; n += 1)
    chunks.add({ n }, { json: `{"n":${n}.0}`, before: "" });
  expect(chunks.take('{"n":0}').same).toBeUndefined();
  expect(chunks.take('{"n":1}').same?.json).toBe('{"n":1.0}');
});

test("so many characters of chunks are remembered, and one that is longer is none of them", () => {
  const chunks = new CameChunks();
  const most = limits.gatewayChunkCharactersRemembered;
  const long = (n: number, length: number) => JSON.stringify({ n, text: "x".repeat(length) });
  const add = (json: string) => chunks.add(JSON.parse(json), { json, before: "" });
  const parts = [0, 1, 2].map((n) => long(n, most / 5));
  for (const part of parts) add(part);
  // Each in two spellings.
  expect(parts.map((part) => chunks.take(part).same !== undefined)).toEqual([false, true, true]);
  add(long(3, most));
  expect(chunks.take(long(3, most))).toEqual({});
  add(long(4, 1));
  expect(chunks.take(long(4, 1)).same).toBeDefined();
});
