import { cloneValue, decodeCbor, decodeJson, encodeCbor, encodeJson } from "@troupe/protocol";
import { decode as independentDecode } from "cbor-x";
import { describe, expect, test } from "vitest";
import { expectSame, received, samples } from "./samples.ts";

describe("values that cross (each golden one: conformance/vectors)", () => {
  test("S1.9 (in part): a copy in the same process is what a receiver gets", () => {
    for (const [name, sample] of samples) {
      expectSame(cloneValue(sample), received.has(name) ? received.get(name) : sample);
    }
  });

  test("S1.9 (in part): errors keep what tells them apart, and never the stack", () => {
    const sent = samples.get("TroupeError");
    for (const got of [decodeJson(encodeJson(sent)), decodeCbor(encodeCbor(sent)), cloneValue(sent)]) {
      expect(got).toMatchObject({
        group: "actor",
        code: "overloaded",
        retryable: true,
        metadata: { limit: 5 },
      });
    }
    const user = decodeCbor(encodeCbor(samples.get("UserError")));
    expect(user).toMatchObject({ name: "UserError", group: "user", code: "name_taken" });
    expect(encodeJson(sent)).not.toContain("samples.ts");
    expect((decodeJson(encodeJson(new RangeError("r"))) as Error).constructor).toBe(RangeError);
  });

  test("another implementation of CBOR reads alike what is standard in ours", () => {
    const standard = ["string beyond ASCII", "0.1", "NaN", "Date", "Int32Array", "Set", "object", "Array"];
    for (const name of standard) {
      expect(independentDecode(encodeCbor(samples.get(name))), name).toEqual(samples.get(name));
    }
  });

  test("a copy shares no memory with what was copied or decoded", () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const message = encodeCbor({ bytes });
    const decoded = decodeCbor(message) as { bytes: Uint8Array };
    const copy = cloneValue({ bytes });
    message.fill(0);
    bytes.fill(0);
    expect(decoded.bytes).toEqual(new Uint8Array([1, 2, 3]));
    expect(copy.bytes).toEqual(new Uint8Array([1, 2, 3]));
    expect(decoded.bytes.buffer.byteLength).toBe(3);
  });
});
