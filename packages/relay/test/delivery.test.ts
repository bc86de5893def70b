/** Batches on their way, and the time that items wait for others. */
import { expect, test, vi } from "vitest";
import { Delivery } from "../src/exporters/delivery.ts";

async function microtasks(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

/** A clock that a story turns. */
function fakeTimers(): Disposable {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  return { [Symbol.dispose]: () => void vi.useRealTimers() };
}

/** A delivery whose batches are on their way until a story settles them. */
function heldDelivery(batch = Number.POSITIVE_INFINITY) {
  const sent: string[][] = [];
  let onItsWay = Promise.withResolvers<void>();
  const send = async (items: readonly string[]) => {
    sent.push([...items]);
    onItsWay = Promise.withResolvers<void>();
    await onItsWay.promise;
  };
  const settle = async () => {
    onItsWay.resolve();
    await microtasks();
  };
  return {
    sent,
    settle,
    delivery: new Delivery<string>({ target: "here", limit: 10, batch, delayMs: 5, send }),
  };
}

test("what comes while a batch is on its way waits for others as long as anything does", async () => {
  using _timers = fakeTimers();
  const { sent, settle, delivery } = heldDelivery();
  void delivery.add("first");
  vi.advanceTimersByTime(5);
  void delivery.add("beside it");
  vi.advanceTimersByTime(3);
  await settle();
  expect(sent).toEqual([["first"]]);
  void delivery.add("for it to wait for");
  vi.advanceTimersByTime(2);
  expect(sent).toEqual([["first"], ["beside it", "for it to wait for"]]);
});

test("what has waited long enough when a batch has arrived is sent behind it at once", async () => {
  using _timers = fakeTimers();
  const { sent, settle, delivery } = heldDelivery();
  void delivery.add("first");
  vi.advanceTimersByTime(5);
  void delivery.add("beside it");
  vi.advanceTimersByTime(5);
  expect(sent).toEqual([["first"]]);
  await settle();
  expect(sent).toEqual([["first"], ["beside it"]]);
});

test("a flush waits for what came while a batch was on its way, however many batches that makes", async () => {
  using _timers = fakeTimers();
  const { sent, settle, delivery } = heldDelivery(2);
  for (const item of ["a", "b", "c", "d", "e"]) void delivery.add(item);
  let flushed = false;
  const flushing = delivery.flushed().then(() => {
    flushed = true;
  });
  await settle();
  await settle();
  expect([sent, flushed]).toEqual([[["a", "b"], ["c", "d"], ["e"]], false]);
  await settle();
  await flushing;
});

test("a timer whose items went with the batch before finds nothing, and what comes later is sent all the same", async () => {
  using _timers = fakeTimers();
  const { sent, settle, delivery } = heldDelivery();
  void delivery.add("first");
  vi.advanceTimersByTime(5);
  // Due, and taken along by a flush while its timer runs.
  const flushing = delivery.flushed();
  void delivery.add("beside it");
  await settle();
  expect(sent).toEqual([["first"], ["beside it"]]);
  await settle();
  await flushing;
  vi.advanceTimersByTime(5);
  void delivery.add("later");
  await Promise.all([delivery.flushed(), settle()]);
  expect(sent).toEqual([["first"], ["beside it"], ["later"]]);
});
