/** Rows of workflows that can't be read are named, and hurt nobody but their workflows. */
import { encodeCbor } from "@troupe/protocol";
import { expect, test } from "vitest";
import { decodeEntry } from "../../src/workflow/entry.ts";
import { Ledger } from "../../src/workflow/ledger.ts";
import { historyOf, inside, readable, roundOf } from "../../src/workflow/location.ts";
import { decodeRecord } from "../../src/workflow/record.ts";
import { codeOf } from "../driver/watch.ts";

const codeOfThrown = (work: () => unknown): string => {
  try {
    work();
    return "nothing was thrown";
  } catch (error) {
    return codeOf(error);
  }
};

test("what is no entry, no record and no ledger is `workflow.row_invalid`", () => {
  for (const value of [1, null, [], {}, { kind: "nothing" }, ["x"]]) {
    const row = encodeCbor(value);
    expect(codeOfThrown(() => decodeEntry("key", row))).toBe("workflow.row_invalid");
    expect(codeOfThrown(() => decodeRecord("key", row))).toBe("workflow.row_invalid");
    expect(codeOfThrown(() => Ledger.load(row))).toBe("workflow.row_invalid");
  }
});

test("names are themselves in locations: no name is a round, and none is a part of another's place", () => {
  const loop = inside(inside("", "a/b"), "#1");
  expect(readable(roundOf(loop, 12))).toBe("a/b/#1/#12");
  expect(loop.includes("#")).toBe(false);
  expect(roundOf(loop, 9) < roundOf(loop, 10)).toBe(true);
  expect(historyOf("x/y").split("/")).toHaveLength(2);
});
