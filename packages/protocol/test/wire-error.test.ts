import { TroupeError, UserError } from "@troupe/base";
import { fromWireError, toWireError } from "@troupe/protocol";
import { describe, expect, test } from "vitest";

const secret = new TroupeError("storage", "disk", "/home/ann/secret failed", {
  public: false,
  metadata: { p: 1 },
});

describe("what a remote caller may know", () => {
  test("all of a public error, but neither its stack nor its cause", () => {
    const error = new TroupeError("actor", "stopped", "gone", {
      metadata: { id: "a" },
      retryable: true,
      cause: secret,
    });
    expect(toWireError(error, false)).toStrictEqual({
      group: "actor",
      code: "stopped",
      message: "gone",
      retryable: true,
      metadata: { id: "a" },
    });
  });

  test("nothing of any other, but the id that finds it in the log", () => {
    const masked = { group: "internal", code: "error", message: "Internal error", retryable: false };
    for (const error of [secret, new Error("/etc/passwd"), "text", null, undefined, { message: "m" }]) {
      expect(toWireError(error, false)).toStrictEqual(masked);
      expect(toWireError(error, false, "log1")).toStrictEqual({ ...masked, metadata: { id: "log1" } });
    }
  });

  test("all of it where the server was told to expose", () => {
    expect(toWireError(secret, true)).toMatchObject({ group: "storage", code: "disk", metadata: { p: 1 } });
    expect(toWireError(new Error("why"), true)).toMatchObject({
      group: "internal",
      code: "error",
      message: "why",
    });
    expect(toWireError("text", true).message).toBe("Internal error");
  });

  test("metadata that can't be sent is left out", () => {
    const error = new UserError("no", { metadata: { f: () => 1 } });
    expect(toWireError(error, false)).toStrictEqual({
      group: "user",
      code: "user_error",
      message: "no",
      retryable: false,
    });
  });
});

test("a caller gets a UserError for group user and a TroupeError for the rest", () => {
  const user = fromWireError(toWireError(new UserError("no", { code: "c", metadata: { n: 1 } }), false));
  expect(user).toBeInstanceOf(UserError);
  expect(user).toMatchObject({ group: "user", code: "c", message: "no", metadata: { n: 1 }, public: true });
  const other = fromWireError({ group: "actor", code: "overloaded", message: "full", retryable: true });
  expect(other).not.toBeInstanceOf(UserError);
  expect(other).toMatchObject({ group: "actor", code: "overloaded", retryable: true, metadata: undefined });
});
