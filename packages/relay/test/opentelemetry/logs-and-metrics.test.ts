/** Marks as log records, metric marks as metrics, over each way to speak to a collector. */
import { createRelay } from "@troupe/relay/node";
import { OpenTelemetryLogSubscriber, OpenTelemetryMetricSubscriber } from "@troupe/relay/opentelemetry";
import { expect, test } from "vitest";
import { attributesOf, Collector } from "../driver/collector.ts";

const transports = ["http_binary", "http_json", "grpc"] as const;

test.each(transports)("%s: marks are log records of their scope's span", async (transport) => {
  await using collector = await Collector.start();
  const relay = createRelay();
  await using exporter = new OpenTelemetryLogSubscriber({
    endpoint: collector.endpoint(transport, "logs"),
    transport,
    minimumSeverity: "info",
  });
  exporter.register(relay, "logs");
  let traceparent: string | undefined;
  await relay.withScope("request", "agent", () => {
    traceparent = relay.captureTraceparent();
    relay.event("quiet", { severity: "debug" });
    relay.event("loud", { severity: "error", data: { why: "disk" }, metadata: { disk: 3 } });
    relay.event("plain", { data: "text" });
    // What answers ask for is content, which spans tell where they are asked to.
    relay.event("llm.tool_call", { data: { tool_name: "f" } });
    relay.metric("numbers", [{ name: "n", kind: "counter", valueType: "u64", value: 1 }]);
  });
  await exporter.forceFlush();
  const [loud, plain] = collector.records;
  expect(collector.records.length).toBe(2);
  expect(loud).toMatchObject({
    severityNumber: 17,
    severityText: "ERROR",
    body: { stringValue: '{"why":"disk"}' },
  });
  expect(attributesOf(loud?.attributes ?? [])).toMatchObject({ disk: 3 });
  expect(`00-${loud?.traceId}-${loud?.spanId}-01`).toBe(traceparent);
  expect(plain).toMatchObject({ severityText: "INFO", body: { stringValue: "text" } });
});

test.each(transports)("%s: measurements are instruments", async (transport) => {
  await using collector = await Collector.start();
  const relay = createRelay();
  await using exporter = new OpenTelemetryMetricSubscriber({
    endpoint: collector.endpoint(transport, "metrics"),
    transport,
    maxInstruments: 4,
  });
  exporter.register(relay, "metrics");
  for (const value of [1, 2])
    relay.metric("work", [
      { name: "done", kind: "counter", valueType: "u64", value, unit: "1", attributes: { queue: "a" } },
      { name: "open", kind: "up_down_counter", valueType: "i64", value: -value },
      { name: "load", kind: "gauge", valueType: "f64", value: value / 2 },
      { name: "took", kind: "histogram", valueType: "f64", value, unit: "s", boundaries: [1.5, 3] },
      { name: "too-many", kind: "counter", valueType: "u64", value },
    ]);
  relay.metric("other", [{ name: "done", kind: "gauge", valueType: "u64", value: 7 }]);
  await exporter.forceFlush();
  const metric = (name: string) => collector.metrics.find((one) => one.name === name);
  expect(metric("done")).toMatchObject({
    unit: "1",
    sum: { isMonotonic: true, dataPoints: [{ asInt: expect.anything() }] },
  });
  const [point] = Object(metric("done")?.sum).dataPoints;
  expect([Number(point.asInt), attributesOf(point.attributes)]).toEqual([3, { queue: "a" }]);
  expect(Object(metric("open")?.sum).isMonotonic ?? false).toBe(false);
  expect(metric("load")).toMatchObject({ gauge: { dataPoints: [{ asDouble: 1 }] } });
  const [histogram] = Object(metric("took")?.histogram).dataPoints;
  expect(histogram).toMatchObject({ explicitBounds: [1.5, 3], sum: 3 });
  expect(histogram.bucketCounts.map(Number)).toEqual([1, 1, 0]);
  expect(metric("too-many")).toBeUndefined();
  expect(exporter.runtimeDiagnostics()).toEqual([
    { code: "otel.instrument_limit", message: "measurements of instruments past the limit", count: 3 },
  ]);
});
