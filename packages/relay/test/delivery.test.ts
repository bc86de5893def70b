/** Batches on their way, and the time that items wait for others. */
import { expect, test, vi } from "vitest";
import { Delivery } from "../src/exporters/delivery.ts";

async function microtasks(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

test("a timer whose items went with the batch before finds nothing, and what comes later is sent all the same", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const sent: string[] = [];
    const held = Promise.withResolvers<void>();
    const send = async (items: readonly string[]) => {
      sent.push(...items);
      await held.promise;
    };
    const delivery = new Delivery<string>({ target: "here", limit: 10, delayMs: 5, send });
    void delivery.add("first");
    vi.advanceTimersByTime(5);
    void delivery.add("beside it");
    held.resolve();
    await microtasks();
    expect(sent).toEqual(["first", "beside it"]);
    // The timer of "beside it".
    vi.advanceTimersByTime(5);
    void delivery.add("later");
    await delivery.flushed();
    expect(sent).toEqual(["first", "beside it", "later"]);
  } finally {
    vi.useRealTimers();
  }
});
