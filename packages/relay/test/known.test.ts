/** What is remembered of names. */
import { expect, test } from "vitest";
import { Known } from "../src/redaction/known.ts";

test("a name is looked at once; names without end are all told right, and so is the first when it comes again", () => {
  const asked: string[] = [];
  const lengths = new Known((text) => {
    asked.push(text);
    return text.length;
  });
  const names = Array.from({ length: 3_000 }, (_, n) => `name-${n}`);
  for (const name of names) expect([lengths.of(name), lengths.of(name)]).toEqual([name.length, name.length]);
  expect(asked).toEqual(names);
  expect(lengths.of("name-0")).toBe(6);
  expect(asked.at(-1)).toBe("name-0");
});

test("a text that is too long for a name isn't kept", () => {
  const texts: string[] = [];
  const known = new Known((text) => texts.push(text));
  const long = "x".repeat(65);
  expect([known.of(long), known.of(long)]).toEqual([1, 2]);
});
