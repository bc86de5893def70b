/** What a relay logs by itself, where nobody gave it a log: a program's log is read line by line. */
import { expect, onTestFinished, test, vi } from "vitest";
import { createRelay } from "../src/create-relay.ts";

test("a subscriber that fails is one line of JSON, with its error in it", async () => {
  const written: unknown[][] = [];
  const warn = vi.spyOn(console, "warn").mockImplementation((...words) => void written.push(words));
  onTestFinished(() => warn.mockRestore());
  const relay = createRelay();
  relay.register({
    kind: "subscriber",
    name: "lines",
    handle: () => {
      throw Object.assign(new Error("no room\nfor it"), { size: 1n });
    },
  });
  relay.event("told");
  await relay.flushSubscribers();
  expect(written).toHaveLength(1);
  expect(written[0]).toHaveLength(1);
  const [line = ""] = (written[0] ?? []).map(String);
  expect(line).not.toContain("\n");
  expect(JSON.parse(line)).toMatchObject({
    level: "warn",
    msg: expect.stringContaining('"lines" failed'),
    error: { name: "Error", message: "no room\nfor it" },
  });
});
