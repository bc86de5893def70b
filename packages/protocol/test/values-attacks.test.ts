import { TroupeError } from "@troupe/base";
import { decodeCbor, decodeJson, encodeCbor, encodeJson, limits } from "@troupe/protocol";
import { describe, expect, test } from "vitest";
import { expectSame, samples, unhex } from "./samples.ts";

function codeOf(act: () => unknown): string {
  try {
    return `value: ${JSON.stringify(act())}`;
  } catch (error) {
    if (TroupeError.is(error)) return `${error.group}.${error.code}`;
    throw error;
  }
}

describe("JSON that isn't a value", () => {
  const check: readonly [text: string, code: string][] = [
    ["", "value.malformed"],
    ["{", "value.malformed"],
    ['{"a":1,}', "value.malformed"],
    ["NaN", "value.malformed"],
    ['{"__proto__":{"admin":true}}', "value.forbidden_key"],
    ['{"a":[{"\\u005f_proto__":1}]}', "value.forbidden_key"],
    ['["$Map",[["k",{"__proto__":1}]]]', "value.forbidden_key"],
    ['["$Error",{"name":"a","message":"b","__proto__":{}}]', "value.forbidden_key"],
    ['["$Nothing",1]', "value.malformed"],
    ['["$constructor",1]', "value.malformed"],
    ['["$__proto__",""]', "value.malformed"],
    ['["$"]', "value.malformed"],
    ['["$Date"]', "value.malformed"],
    ['["$Date","1"]', "value.malformed"],
    ['["$Date",1,2]', "value.malformed"],
    ['["$Number","nan"]', "value.malformed"],
    ['["$BigInt",1]', "value.malformed"],
    ['["$BigInt","0x1"]', "value.malformed"],
    ['["$BigInt","-0"]', "value.malformed"],
    [`["$BigInt","${"9".repeat(20_000)}"]`, "value.malformed"],
    ['["$Map",{}]', "value.malformed"],
    ['["$Map",[1]]', "value.malformed"],
    ['["$Map",[["k"]]]', "value.malformed"],
    ['["$Set","abc"]', "value.malformed"],
    ['["$RegExp",["(","g"]]', "value.malformed"],
    ['["$RegExp",["a","qq"]]', "value.malformed"],
    [`["$RegExp",["${"(".repeat(100_000)}",""]]`, "value.malformed"],
    ['["$Uint8Array","AAA"]', "value.malformed"],
    ['["$Uint8Array","A==="]', "value.malformed"],
    ['["$Uint8Array","AA-_"]', "value.malformed"],
    ['["$Uint16Array","AA=="]', "value.malformed"],
    ['["$Error",{}]', "value.malformed"],
    ['["$Error",["a"]]', "value.malformed"],
    ['["$Error",{"name":"a","message":"b","group":1,"code":"c"}]', "value.malformed"],
    ["[".repeat(100_000), "value.too_deep"],
    ["[".repeat(100_000) + "]".repeat(100_000), "value.too_deep"],
    ['{"a":'.repeat(100_000), "value.too_deep"],
    ["[".repeat(200) + "]".repeat(200), "value.too_deep"],
    [`[${"0,".repeat(limits.valueEntries)}0]`, "value.too_many_entries"],
  ];
  test.each(check.map(([text, code]) => ({ start: text.slice(0, 60), text, code })))(
    "$start",
    ({ text, code }) => {
      expect(codeOf(() => decodeJson(text))).toBe(code);
    },
  );
});

describe("JSON that only looks dangerous", () => {
  const check: readonly [text: string, value: unknown][] = [
    ['"__proto__"', "__proto__"],
    ['["__proto__","$"]', ["__proto__", "$"]],
    ['{"constructor":{"prototype":{"x":1}}}', { constructor: { prototype: { x: 1 } } }],
    ['{"a":1,"a":2}', { a: 2 }],
    ['["\\u0024Date",0]', new Date(0)],
    ['["$$Date",0]', ["$Date", 0]],
    ['{"$Date":0}', { $Date: 0 }],
    [`"${'[{\\"'.repeat(40_000)}"`, '[{"'.repeat(40_000)],
  ];
  test.each(check.map(([text, value]) => ({ start: text.slice(0, 60), text, value })))(
    "$start",
    ({ text, value }) => {
      expectSame(decodeJson(text), value);
    },
  );

  test("a Map at the deepest level that is allowed", () => {
    let value: unknown = 1;
    for (let level = 0; level < limits.valueDepth; level++) value = new Map([[level, value]]);
    expect(decodeJson(encodeJson(value))).toStrictEqual(value);
    expect(decodeCbor(encodeCbor(value))).toStrictEqual(value);
  });
});

describe("CBOR that isn't a value", () => {
  const check: readonly [what: string, bytes: string, code: string][] = [
    ["nothing", "", "value.malformed"],
    ["two values", "0101", "value.malformed"],
    ["an object with __proto__", "a1695f5f70726f746f5f5f01", "value.forbidden_key"],
    ["an array with __proto__ in an object", "81a1695f5f70726f746f5f5f01", "value.forbidden_key"],
    ["an object with a number for a key", "a10101", "value.malformed"],
    ["an unknown tag", "d9ffff01", "value.malformed"],
    ["a shared reference", "d81c81d81d00", "value.malformed"],
    ["a record of cbor-x", "d9dffe8461610102", "value.malformed"],
    ["a packed table", "d8338401", "value.malformed"],
    ["an unknown simple value", "e0", "value.malformed"],
    ["a reserved length", "1c", "value.malformed"],
    ["an indefinite array", "9f01ff", "value.malformed"],
    ["an indefinite text", "7f6161ff", "value.malformed"],
    ["an indefinite byte string", "5f4161ff", "value.malformed"],
    ["an indefinite map", "bf616101ff", "value.malformed"],
    ["a lone break", "ff", "value.malformed"],
    ["an array of 2^32-1 elements", "9affffffff", "value.malformed"],
    ["an array of 2^64-1 elements", "9bffffffffffffffff", "value.malformed"],
    ["a map of 2^32-1 entries", "baffffffff", "value.malformed"],
    ["a text of 2^32-1 bytes", "7affffffff", "value.malformed"],
    ["bytes of 2^53", "5b0020000000000000", "value.malformed"],
    ["a text that isn't UTF-8", "61ff", "value.malformed"],
    ["a text with an encoded surrogate", "63eda080", "value.malformed"],
    ["a bigint that is a text", "c26161", "value.malformed"],
    ["a bigint of 8 KiB", `c2592000${"ff".repeat(8192)}`, "value.malformed"],
    ["a Date that is a text", "c16161", "value.malformed"],
    ["a Date that is a Date", "c1c100", "value.malformed"],
    ["a Date that is a bigint", "c11bffffffffffffffff", "value.malformed"],
    ["a Set that is a map", "d90102a0", "value.malformed"],
    ["a Map that is an array", "d9010380", "value.malformed"],
    ["an Error that is a text", "d9d5486161", "value.malformed"],
    ["an Error without a message", "d9d548a1646e616d656161", "value.malformed"],
    ["a RegExp with three parts", "d9524a83616161676167", "value.malformed"],
    ["a RegExp that isn't one", "d9524a816128", "value.malformed"],
    ["Uint16Array of one byte", "d8454101", "value.malformed"],
    ["half a UTF-16 unit", "d9d54b4101", "value.malformed"],
    ["arrays nested 100,000 deep", "81".repeat(100_000), "value.too_deep"],
    ["objects nested 100,000 deep", "a16161".repeat(100_000), "value.too_deep"],
    ["Maps nested 100,000 deep in keys", "d90103a1".repeat(100_000), "value.too_deep"],
    ["tags nested 100,000 deep", "c1".repeat(100_000), "value.malformed"],
    ["Sets nested 100,000 deep", "d9010281".repeat(100_000), "value.too_deep"],
    ["too many entries", `9a000f4241${"00".repeat(1_000_001)}`, "value.too_many_entries"],
  ];
  test.each(check)("%s", (_what, bytes, code) => {
    expect(codeOf(() => decodeCbor(unhex(bytes)))).toBe(code);
  });

  test("lengths that each fit the input but not all together: no memory is spent on them", () => {
    // 100 arrays in each other, each claiming all of the 60,000 bytes that follow.
    const bytes = new Uint8Array(60_300);
    for (let at = 0; at < 300; at += 3) bytes.set([0x99, 0xea, 0x60], at);
    const before = process.memoryUsage().heapUsed;
    expect(codeOf(() => decodeCbor(bytes))).toBe("value.too_many_entries");
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(32 * 1024 * 1024);
  });

  test("what another language may write and we never do is read", () => {
    const check: readonly [bytes: string, value: unknown][] = [
      ["1b0000000000000001", 1],
      ["f93c00", 1],
      ["f90001", 2 ** -24],
      ["1bffffffffffffffff", 2n ** 64n - 1n],
      ["3bffffffffffffffff", -(2n ** 64n)],
      ["1b0020000000000000", 2n ** 53n],
      ["c243000001", 1n],
      ["d840420102", new Uint8Array([1, 2])],
      ["d9524a816161", /a/],
      ["c1f93c00", new Date(1000)],
    ];
    for (const [bytes, value] of check) expect(decodeCbor(unhex(bytes)), bytes).toStrictEqual(value);
  });
});

describe("every sample, cut at every byte", () => {
  test.each([...samples.keys()])("%s", (name) => {
    const text = encodeJson(samples.get(name));
    const bytes = encodeCbor(samples.get(name));
    for (let end = 0; end < bytes.length; end++) {
      expect(codeOf(() => decodeCbor(bytes.subarray(0, end)))).toBe("value.malformed");
    }
    // A number cut short is a number; any other text isn't JSON any more.
    if (/^[-\d]/.test(text)) return;
    for (let end = 0; end < text.length; end++) {
      expect(codeOf(() => decodeJson(text.slice(0, end)))).toBe("value.malformed");
    }
  });
});

test("nothing that was decoded has changed a prototype", () => {
  expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain("admin");
  expect(({} as { admin?: unknown }).admin).toBe(undefined);
});
