/** Calls and measurements as Prometheus' text. */
import { limits } from "@troupe/protocol";
import { codecNamed } from "@troupe/relay";
import { createRelay, PrometheusExporter } from "@troupe/relay/node";
import { expect, test } from "vitest";
import { answers, requests } from "./codecs/payloads.ts";

/** A line of the text format, with labels, or a comment. */
const LINE =
  /^(# (HELP|TYPE) .+|[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_]\w*="([^"\\\n]|\\["\\n])*",?)+\})? [-+0-9.eInf]+)$/;

test("calls, tokens and measurements are families that a scraper can read", async () => {
  const relay = createRelay();
  await using exporter = new PrometheusExporter();
  exporter.register(relay, "prometheus");
  const codec = codecNamed("openai_chat");
  const request = { headers: {}, content: requests.openai_chat };
  await relay.llmCallExecute("openai", request, () => answers.openai_chat, { codec });
  const failing = (): never => {
    throw new Error("no");
  };
  for (let n = 0; n < 2; n++) await relay.toolCallExecute('od"d\n', {}, failing).catch(() => {});
  relay.metric("m", [
    { name: "jobs.done", kind: "counter", valueType: "u64", value: 2, attributes: { "queue.name": "a" } },
    { name: "jobs.done", kind: "counter", valueType: "u64", value: 3, attributes: { "queue.name": "a" } },
    { name: "open", kind: "up_down_counter", valueType: "i64", value: -1 },
    { name: "load", kind: "gauge", valueType: "f64", value: 0.5, description: "of\nthe machine" },
    { name: "took", kind: "histogram", valueType: "f64", value: 2, boundaries: [1, 5] },
    { name: "load", kind: "counter", valueType: "u64", value: 1 },
    { name: "load", kind: "histogram", valueType: "u64", value: 1 },
  ]);
  await exporter.forceFlush();
  const lines = exporter.text().trimEnd().split("\n");
  expect(lines.filter((line) => !LINE.test(line))).toEqual([]);
  const has = [
    'troupe_relay_calls_total{name="openai",status="ok",type="llm"} 1',
    'troupe_relay_calls_total{name="od\\"d\\n",status="error",type="tool"} 2',
    'troupe_relay_call_duration_seconds_count{name="openai",type="llm"} 1',
    'troupe_relay_tokens_total{model="gpt-4o-1",type="input"} 6',
    'troupe_relay_tokens_total{model="gpt-4o-1",type="cache_read"} 4',
    'jobs_done_total{queue_name="a"} 5',
    "open -1",
    "# HELP load of\\nthe machine",
    "load 0.5",
    'took_bucket{le="1"} 0',
    'took_bucket{le="5"} 1',
    'took_bucket{le="+Inf"} 1',
    "took_sum 2",
    "troupe_relay_measurements_dropped_total 1",
  ];
  expect(has.filter((line) => !lines.includes(line))).toEqual([]);
});

test("an answer that doesn't name its model counts for the one that was asked", async () => {
  const relay = createRelay();
  await using exporter = new PrometheusExporter();
  exporter.register(relay, "prometheus");
  const codec = codecNamed("openai_chat");
  const { model: _unsaid, ...answer } = answers.openai_chat;
  const request = { headers: {}, content: { ...requests.openai_chat, model: "asked" } };
  await relay.llmCallExecute("openai", request, () => answer, { codec });
  await relay.llmCallExecute("openai", request, () => answer, { codec, modelName: "named" });
  await exporter.forceFlush();
  const lines = exporter.text().split("\n");
  expect(lines).toContain('troupe_relay_tokens_total{model="asked",type="input"} 6');
  expect(lines).toContain('troupe_relay_tokens_total{model="named",type="input"} 6');
});

test("labels without end are counted as one series", async () => {
  const relay = createRelay();
  await using exporter = new PrometheusExporter();
  exporter.register(relay, "prometheus", { queueLimit: limits.relaySubscriberQueueLongest });
  const many = limits.relayMetricSeries + 50;
  for (let n = 0; n < many; n++)
    relay.metric("m", [
      { name: "n", kind: "counter", valueType: "u64", value: 1, attributes: { id: `${n}` } },
    ]);
  await exporter.forceFlush();
  const lines = exporter
    .text()
    .split("\n")
    .filter((line) => line.startsWith("n_total{"));
  expect(lines.length).toBe(limits.relayMetricSeries + 1);
  expect(lines).toContain('n_total{overflow="true"} 50');
});

test("names of labels that mean something to Prometheus are the program's under another", async () => {
  const relay = createRelay();
  await using exporter = new PrometheusExporter();
  exporter.register(relay, "prometheus");
  const attributes = { le: "7", __name__: "x" };
  relay.metric("m", [
    { name: "took", kind: "histogram", valueType: "f64", value: 2, boundaries: [1], attributes },
    { name: "load", kind: "gauge", valueType: "f64", value: 2, attributes },
  ]);
  await exporter.forceFlush();
  const lines = exporter.text().split("\n");
  expect(lines).toContain('took_bucket{exported___name__="x",exported_le="7",le="+Inf"} 1');
  expect(lines).toContain('load{exported___name__="x",le="7"} 2');
});

test("what a scraper would refuse the whole text for is left out: labels without a name, two of one name", async () => {
  const relay = createRelay();
  await using exporter = new PrometheusExporter();
  exporter.register(relay, "prometheus");
  relay.metric("m", [
    { name: "took", kind: "histogram", valueType: "f64", value: 2, boundaries: [1] },
    { name: "took_count", kind: "gauge", valueType: "f64", value: 9 },
    { name: "size_sum", kind: "gauge", valueType: "f64", value: 3, attributes: { "": "x", a: "b" } },
    { name: "size", kind: "histogram", valueType: "f64", value: 2, boundaries: [1] },
  ]);
  await exporter.forceFlush();
  const lines = exporter.text().split("\n");
  expect(lines).toContain("took_count 1");
  expect(lines).toContain('size_sum{a="b"} 3');
  expect(lines).toContain("troupe_relay_measurements_dropped_total 2");
  expect(lines.filter((line) => line.startsWith("# TYPE")).length).toBe(3);
});
