import { TroupeError } from "@troupe/base";
import { checkKey, checkName, decodeKey, encodeKey, limits, normalizeKey } from "@troupe/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

describe("a key in a URL", () => {
  const check: readonly [key: readonly string[], text: string][] = [
    [[], ""],
    [[""], "~"],
    [["", ""], "~,~"],
    [["~"], "%7E"],
    [["~~"], "~~"],
    [["room", "1"], "room,1"],
    [["a,b"], "a%2Cb"],
    [["a", "b"], "a,b"],
    [["100%"], "100%25"],
    [["%2C"], "%252C"],
    [["ż/ó ?&#+"], "%C5%BC%2F%C3%B3%20%3F%26%23%2B"],
    [["\u0000"], "%00"],
    [["../x", "*", ">"], "..%2Fx,*,%3E"],
  ];
  test.each(check.map(([key, text]) => ({ key, text })))("$text", ({ key, text }) => {
    expect(encodeKey(key)).toBe(text);
    expect(decodeKey(text)).toEqual(key);
  });

  test("comes back as it went, and no two keys have one text", () => {
    const key = fc.array(
      fc.oneof(fc.string({ unit: "grapheme", maxLength: 8 }), fc.constantFrom("", "~", ",", "%")),
      {
        maxLength: 5,
      },
    );
    const texts = new Map<string, string>();
    fc.assert(
      fc.property(key, (components) => {
        const text = encodeKey(components);
        expect(decodeKey(text)).toEqual(components);
        expect(new URL(`http://x/?key=${text}&a=b`).search).toBe(`?key=${text.replaceAll("'", "%27")}&a=b`);
        const before = texts.get(text);
        expect(before ?? JSON.stringify(components)).toBe(JSON.stringify(components));
        texts.set(text, JSON.stringify(components));
      }),
    );
  });

  test("twins stay two: composed and decomposed, upper and lower case", () => {
    expect(encodeKey(["é"])).not.toBe(encodeKey(["e\u0301"]));
    expect(encodeKey(["A"])).not.toBe(encodeKey(["a"]));
  });

  test("no text is the empty key; an empty component written by hand is one", () => {
    expect(decodeKey(undefined)).toEqual([]);
    expect(decodeKey("a,,b")).toEqual(["a", "", "b"]);
  });

  const malformed: readonly [text: string, code: string][] = [
    ["%", "malformed"],
    ["%zz", "malformed"],
    ["%ff", "malformed"],
    ["%ED%A0%80", "malformed"],
    ["a".repeat(limits.keyComponentBytes + 1), "component_too_long"],
    ["a".repeat(100_000), "too_long"],
    [",".repeat(limits.keyComponents), "too_long"],
  ];
  test.each(malformed)("%s is refused", (text, code) => {
    expect(codeOf(() => decodeKey(text))).toBe(`key.${code}`);
  });
});

describe("a key's limits", () => {
  const longest = "x".repeat(limits.keyComponentBytes);
  const check: readonly [what: string, key: readonly unknown[], code: string | undefined][] = [
    ["a component of the most bytes", [longest], undefined],
    ["one byte more", [`${longest}x`], "key.component_too_long"],
    ["bytes, not characters", ["ż".repeat(limits.keyComponentBytes / 2 + 1)], "key.component_too_long"],
    ["pairs have four bytes", ["🎉".repeat(limits.keyComponentBytes / 4)], undefined],
    ["pairs past the limit", ["🎉".repeat(limits.keyComponentBytes / 4 + 1)], "key.component_too_long"],
    [
      "the most bytes together",
      new Array(limits.keyBytes / limits.keyComponentBytes).fill(longest),
      undefined,
    ],
    ["one byte more together", [...new Array(8).fill(longest), "x"], "key.too_long"],
    ["the most components", new Array(limits.keyComponents).fill(""), undefined],
    ["one component more", new Array(limits.keyComponents + 1).fill(""), "key.too_long"],
    ["a number", [1], "key.not_a_string"],
    ["a hole", new Array(1), "key.not_a_string"],
    ["a lone surrogate", ["a\ud800"], "key.malformed"],
  ];
  test.each(check)("%s", (_what, key, code) => {
    expect(codeOf(() => checkKey(key))).toBe(code);
  });
});

test("users write keys as they like", () => {
  expect(normalizeKey("room")).toEqual(["room"]);
  expect(normalizeKey(["a", "b"])).toEqual(["a", "b"]);
  expect(normalizeKey(undefined)).toEqual([]);
  const given = ["a"];
  expect(normalizeKey(given)).not.toBe(given);
  expect(codeOf(() => normalizeKey(JSON.parse("5")))).toBe("key.malformed");
});

test("names of actors", () => {
  checkName("counter");
  checkName("x".repeat(limits.actorNameLength));
  for (const name of ["", "x".repeat(limits.actorNameLength + 1), "\ud800", 5, null, undefined]) {
    expect(codeOf(() => checkName(name))).toBe("name.malformed");
  }
});

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (TroupeError.is(error)) return `${error.group}.${error.code}`;
    throw error;
  }
}
