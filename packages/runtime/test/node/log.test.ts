/** Lines of the log: whatever is logged, a line says what it can. */
import { afterEach, expect, test, vi } from "vitest";
import { NodeLogger } from "../../src/node/log.ts";

afterEach(() => void vi.restoreAllMocks());

function lines(write: (log: NodeLogger) => void): readonly Record<string, unknown>[] {
  const written: string[] = [];
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  write(new NodeLogger("debug"));
  return written.map((line) => JSON.parse(line));
}

test("what was thrown may be a BigInt, or have one in it, and a field that can't be read costs no other", () => {
  const ring: { self?: unknown } = {};
  ring.self = ring;
  const found = lines((log) => {
    log.error("a call failed", { id: "i", cause: 10n });
    log.error("a call failed", { id: "i", cause: { deep: [10n] } });
    log.error("a call failed", { id: "i", cause: ring });
  });
  expect(found).toMatchObject([
    { msg: "a call failed", id: "i", cause: "10" },
    { msg: "a call failed", id: "i", cause: { deep: ["10"] } },
    { msg: "a call failed", id: "i", cause: "[unreadable]" },
  ]);
});
