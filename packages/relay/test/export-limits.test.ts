/** What exporters and components keep is bounded, and says when it had to let something go. */
import { limits } from "@troupe/protocol";
import { AtifExporter, createRelay } from "@troupe/relay/node";
import { OpenTelemetrySubscriber } from "@troupe/relay/opentelemetry";
import { expect, test } from "vitest";
import { StoredResponses } from "../src/components/response-cache/stored-responses.ts";
import { relayErrors } from "../src/errors.ts";
import { Delivery, exportWeight } from "../src/exporters/delivery.ts";
import { Collector } from "./driver/collector.ts";

const wide = { queueLimit: limits.relaySubscriberQueueLongest };

test("relayOpenSpans: past it the scope that began first is told as it is", async () => {
  await using collector = await Collector.start();
  const relay = createRelay();
  const endpoint = collector.endpoint("http_binary", "traces");
  const exporter = new OpenTelemetrySubscriber({ type: "gen_ai", endpoint });
  exporter.register(relay, "traces", wide);
  for (let n = 0; n <= limits.relayOpenSpans; n++) relay.pushScope(`scope-${n}`, "function");
  await exporter.forceFlush();
  expect(collector.spans.map(({ name }) => name)).toEqual(["scope-0"]);
  expect(exporter.runtimeDiagnostics()).toMatchObject([{ code: "otel.span_unended", count: 1 }]);
  await exporter.shutdown();
  expect(collector.spans.length).toBe(limits.relayOpenSpans + 1);
});

test("relayExportItemBytes: marks of a scope that stays open are bounded by their bytes as well", async () => {
  await using collector = await Collector.start();
  const relay = createRelay();
  const exporter = new OpenTelemetrySubscriber({
    type: "gen_ai",
    includeSecrets: true,
    endpoint: collector.endpoint("http_binary", "traces"),
  });
  exporter.register(relay, "traces", wide);
  relay.pushScope("first", "agent");
  const scope = relay.pushScope("with marks", "agent");
  const megabyte = "x".repeat(512 * 1024);
  for (let n = 0; n < 33; n++) {
    relay.event("m", { parent: scope, data: megabyte });
    // A subscriber's queue is bounded by the same bytes.
    if (n % 8 === 0) await relay.flushSubscribers();
  }
  await relay.flushSubscribers();
  expect(exporter.runtimeDiagnostics()).toMatchObject([{ code: "otel.span_unended", count: 2 }]);
  await exporter.shutdown();
  expect(collector.spans.map(({ name }) => name).slice(0, 2)).toEqual([
    "invoke_agent first",
    "invoke_agent with marks",
  ]);
});

test("a delivery counts what is large as several: its subscriber waits before there is too much", async () => {
  const sent = Promise.withResolvers<void>();
  const delivery = new Delivery<number>({
    ...{
      target: "t",
      send: () => sent.promise,
      weigh: exportWeight,
      limit: limits.relayExportItems,
      delayMs: 60_000,
    },
  });
  const half = limits.relayExportItemBytes / 2;
  const add = (...weights: readonly number[]) => weights.map((weight) => delivery.add(weight));
  // What is too much together is on its way at once, and as much may wait behind it.
  expect(add(half, half, 1, half, half)).toEqual(new Array(5).fill(undefined));
  const [waits] = add(1);
  expect(waits).toBeInstanceOf(Promise);
  sent.resolve();
  await waits;
});

test("relayTrajectoryEvents: past it the oldest events go, and the trajectory says how many", async () => {
  const relay = createRelay();
  await using exporter = new AtifExporter({ sessionId: "s", agentName: "a", agentVersion: "1" });
  exporter.register(relay, "atif", wide);
  for (let n = 0; n <= limits.relayTrajectoryEvents; n++) {
    relay.event(`${n}`);
    if (n % 10_000 === 0) await exporter.forceFlush();
  }
  await exporter.forceFlush();
  const { extra } = exporter.trajectory();
  const gone = Math.ceil((limits.relayTrajectoryEvents + 1) / 10);
  expect(extra?.missing_events).toBe(gone);
  expect(Object(extra?.marks)[0].name).toBe(`${gone}`);
});

test("relayTrajectoryBytes: past it the oldest events go, however few they are", async () => {
  const relay = createRelay();
  await using exporter = new AtifExporter({ sessionId: "s", agentName: "a", agentVersion: "1" });
  exporter.register(relay, "atif", wide);
  // One text, of which each event has the place alone: a character is reckoned as two bytes.
  const data = "x".repeat(limits.relayTrajectoryBytes / 2 / 20);
  for (let n = 0; n < 30; n++) {
    relay.event(`${n}`, { data });
    await exporter.forceFlush();
  }
  const { extra } = exporter.trajectory();
  expect(Object(extra).marks.length).toBeLessThan(20);
  expect(Object(extra).marks.length + Number(extra?.missing_events)).toBe(30);
});

test("relayCachedResponses, relayCachedCharacters: the answer that was used least recently goes", () => {
  const stored = new StoredResponses(() => 0);
  for (let n = 0; n < limits.relayCachedResponses; n++) stored.set(`${n}`, n, 1_000);
  expect(stored.get("0")).toEqual({ value: 0 });
  stored.set("one more", 1, 1_000);
  expect([stored.get("0")?.value, stored.get("1"), stored.get("2")?.value]).toEqual([0, undefined, 2]);
  const half = "x".repeat(limits.relayCachedCharacters / 2 - 10);
  for (const key of ["a", "b", "c"]) stored.set(key, half, 1_000);
  expect([stored.get("a"), stored.get("0"), stored.get("c")?.value === half]).toEqual([
    undefined,
    undefined,
    true,
  ]);
  stored.set("too large", `${half}${half}${half}`, 1_000);
  expect(stored.get("too large")).toBeUndefined();
});

test("an answer that JSON would change isn't kept, and an old one isn't given", () => {
  let now = 0;
  const stored = new StoredResponses(() => now);
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  for (const value of [new Date(), new Map(), cycle, undefined, { a: undefined }, [Number.NaN], () => 1]) {
    stored.set("k", value, 1_000);
    expect([value, stored.get("k")]).toEqual([value, undefined]);
  }
  stored.set("k", { a: [1, null] }, 1_000);
  now = 999;
  expect(stored.get("k")).toEqual({ value: { a: [1, null] } });
  now = 1_000;
  expect(stored.get("k")).toBeUndefined();
});

test("relayExportItems, relayExportBatch: batches have a size, and who adds too much waits for room", async () => {
  const sizes: number[] = [];
  const gate = Promise.withResolvers<void>();
  const delivery = new Delivery<number>({
    target: "t",
    send: async (items) => {
      sizes.push(items.length);
      await gate.promise;
    },
    limit: limits.relayExportItems,
    batch: limits.relayExportBatch,
    delayMs: 0,
  });
  const waits: (Promise<void> | undefined)[] = [];
  for (let n = 0; n < limits.relayExportItems + limits.relayExportBatch + 1; n++) waits.push(delivery.add(n));
  expect(waits.findIndex((wait) => wait !== undefined)).toBeGreaterThanOrEqual(limits.relayExportItems);
  gate.resolve();
  await Promise.all([...waits, delivery.flushed()]);
  expect(Math.max(...sizes)).toBe(limits.relayExportBatch);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(waits.length);
});

test("relayExportTries: a batch is tried so often when that may help, and once when it can't", async () => {
  for (const [status, tries] of [
    [503, limits.relayExportTries],
    [400, 1],
  ] as const) {
    let tried = 0;
    const send = (): Promise<void> => {
      tried += 1;
      return Promise.reject(relayErrors.exportRefused("t", status));
    };
    const delivery = new Delivery<number>({ target: "t", send, limit: 10, delayMs: 0 });
    void delivery.add(1);
    await expect(delivery.flushed()).rejects.toMatchObject({ code: "export_failed", metadata: { lost: 1 } });
    expect([tried, delivery.lost, delivery.failures]).toEqual([tries, 1, 1]);
    await delivery.flushed();
  }
});
