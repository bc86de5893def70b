/** Errors between a host and code that it carries. */
import { TroupeError, UserError } from "@troupe/base";
import { expect, test } from "vitest";
import { fromCarriedError, type PayloadEncoding, toCarriedError } from "../src/actor/v1.ts";

const encodings: readonly PayloadEncoding[] = ["cbor", "json", "raw"];

test.each(encodings)("S5.9 (in part) an error keeps its type across a carrier (%s)", (encoding) => {
  const error = new TroupeError("relay", "guardrail_rejected", "no", {
    metadata: { by: "g" },
    statusCode: 403,
  });
  const back = fromCarriedError(toCarriedError(error, encoding), encoding);
  expect(back).toMatchObject({ group: "relay", code: "guardrail_rejected", message: "no", statusCode: 403 });
  expect(back.metadata).toEqual(encoding === "raw" ? undefined : { by: "g" });
});

test("a user's error stays one", () => {
  const back = fromCarriedError(
    toCarriedError(new UserError("out of stock", { code: "stock" }), "cbor"),
    "cbor",
  );
  expect(back).toBeInstanceOf(UserError);
  expect(back).toMatchObject({ group: "user", code: "stock", message: "out of stock" });
});

test("whatever else is thrown is internal, and not for callers outside", () => {
  const back = fromCarriedError(toCarriedError(new TypeError("x is not a function"), "json"), "json");
  expect(back).toMatchObject({
    group: "internal",
    code: "error",
    public: false,
    message: "x is not a function",
  });
});
