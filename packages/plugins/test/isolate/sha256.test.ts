/** The digest of isolates is the platform's. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { sha256 } from "../../src/carriers/isolate/guest/sha256.ts";

test("every length around a block, and a long one", () => {
  for (const length of [...Array.from({ length: 200 }, (_, n) => n), 100_003]) {
    const data = Uint8Array.from({ length }, (_, index) => (index * 31 + length) % 256);
    expect(Buffer.from(sha256(data)).toString("hex"), `${length} bytes`).toBe(
      createHash("sha256").update(data).digest("hex"),
    );
  }
});
