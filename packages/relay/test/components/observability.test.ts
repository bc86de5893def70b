/** Exporters by configuration, and that what they were given before they end isn't lost. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRelay } from "@troupe/relay/node";
import {
  atifConfig,
  atofConfig,
  ComponentSpec,
  defaultConfig,
  openTelemetryConfig,
  openTelemetryEndpoint,
  openTelemetryLogConfig,
  openTelemetryMetricConfig,
  openTelemetrySignalEndpoint,
} from "@troupe/relay/observability";
import { createComponents } from "@troupe/relay/plugin";
import { expect, test } from "vitest";
import { Collector } from "../driver/collector.ts";
import { codeOf } from "../driver/driver.ts";

test("files, trajectories, and a collector of everything, by one document; a change loses nothing", async () => {
  const folder = mkdtempSync(join(tmpdir(), "troupe-observed-"));
  await using collector = await Collector.start();
  const endpoint = (signal: "traces" | "logs" | "metrics") => collector.endpoint("http_binary", signal);
  const config = {
    ...defaultConfig(),
    atof: atofConfig({
      enabled: true,
      sinks: [{ type: "file", output_directory: folder, filename: "events.jsonl" }],
    }),
    atif: atifConfig({ enabled: true, output_directory: folder, agent_version: "1" }),
    opentelemetry: openTelemetryConfig({
      enabled: true,
      endpoints: [openTelemetryEndpoint({ type: "gen_ai", endpoint: endpoint("traces") })],
      logs: openTelemetryLogConfig({
        enabled: true,
        endpoints: [openTelemetrySignalEndpoint({ endpoint: endpoint("logs") })],
      }),
      metrics: openTelemetryMetricConfig({
        enabled: true,
        endpoints: [openTelemetrySignalEndpoint({ endpoint: endpoint("metrics") })],
      }),
    }),
  };
  const relay = createRelay();
  const components = createComponents(relay);
  const work = (name: string) =>
    relay.withScope(name, "agent", () => {
      relay.event("noted", { data: name });
      relay.metric("m", [{ name: "n", kind: "counter", valueType: "u64", value: 1 }]);
    });
  const first = await components.initialize({ components: [ComponentSpec(config)] });
  expect(first.report.diagnostics).toEqual([]);
  await work("one");
  const second = await components.initialize({ components: [ComponentSpec(config)] });
  await work("two");
  await second.close();
  await work("nobody listens");
  const lines = readFileSync(join(folder, "events.jsonl"), "utf8").trimEnd().split("\n");
  const told = ["one", "noted", "m", "one", "two", "noted", "m", "two"];
  expect(lines.map((line) => JSON.parse(line).name)).toEqual(told);
  const trajectories = readdirSync(folder).filter((file) => file.startsWith("troupe-relay-atif-"));
  expect(trajectories.length).toBe(2);
  expect(collector.spans.map(({ name }) => name)).toEqual(["invoke_agent one", "invoke_agent two"]);
  expect(collector.records.map(({ body }) => body.stringValue)).toEqual(["one", "two"]);
  expect(collector.metrics.map(({ name }) => name)).toContain("n");
  expect(relay.listRuntimeRegistrations()).toEqual([]);
  rmSync(folder, { recursive: true });
});

test("a collector that is gone shows in the report, and the next document takes effect", async () => {
  const relay = createRelay();
  const components = createComponents(relay);
  const endpoints = [
    openTelemetryEndpoint({ type: "full", endpoint: "http://127.0.0.1:1/v1/traces", timeout_millis: 200 }),
  ];
  const config = { opentelemetry: openTelemetryConfig({ enabled: true, endpoints }) };
  const active = await components.initialize({ components: [ComponentSpec(config)] });
  await relay.withScope("lost", "agent", () => {});
  await relay.flushSubscribers();
  const next = await components.initialize({ components: [] });
  expect(next.report.runtime_diagnostics).toMatchObject([{ code: "plugin.close_failed", count: 1 }]);
  expect(active.report.runtime_diagnostics).toMatchObject([
    { code: "otel.export_failed", component: "observability", count: 1 },
    { code: "otel.items_lost", count: 1 },
  ]);
});

test("an exporter that can't be made keeps the document from taking effect", async () => {
  const components = createComponents(createRelay());
  const sinks = [
    { type: "stream" as const, url: "http://x", header_env: { authorization: "TROUPE_TEST_UNSET" } },
  ];
  const config = { atof: atofConfig({ enabled: true, sinks }) };
  expect(await codeOf(components.initialize({ components: [ComponentSpec(config)] }))).toBe(
    "relay.component_failed",
  );
});

test("a change of something else leaves what is open whole: one span each in one trace, one trajectory, no line lost", async () => {
  const folder = mkdtempSync(join(tmpdir(), "troupe-kept-"));
  await using collector = await Collector.start();
  const endpoint = collector.endpoint("http_binary", "traces");
  const observability = ComponentSpec({
    atof: atofConfig({
      enabled: true,
      sinks: [{ type: "file", output_directory: folder, filename: "events.jsonl", mode: "overwrite" }],
    }),
    atif: atifConfig({ enabled: true, output_directory: folder }),
    opentelemetry: openTelemetryConfig({
      enabled: true,
      endpoints: [openTelemetryEndpoint({ type: "full", endpoint })],
    }),
  });
  const relay = createRelay();
  const components = createComponents(relay);
  const failing = {
    register: () => {
      throw new Error("no");
    },
  };
  components.register("failing", failing);
  components.register("other", { register: () => {} });
  await components.initialize({ components: [observability] });
  const nested = async <T>(names: readonly string[], fn: () => Promise<T>): Promise<void> => {
    const [name, ...rest] = names;
    if (name === undefined) await fn();
    else await relay.withScope(name, "agent", () => nested(rest, fn));
  };
  await nested(["a", "b"], async () => {
    await nested(["before"], async () => {});
    const broken = components.initialize({ components: [observability, { kind: "failing" }] });
    expect(await codeOf(broken)).toBe("relay.component_failed");
    await components.initialize({ components: [{ kind: "other" }, observability] });
    await nested(["behind"], async () => {});
  });
  await components.initialize({ components: [] });
  const { spans } = collector;
  expect(spans.map(({ name }) => name).toSorted()).toEqual(["a", "b", "before", "behind"]);
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  const lines = readFileSync(join(folder, "events.jsonl"), "utf8").trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line).name)).toEqual([
    "a",
    "b",
    "before",
    "before",
    "behind",
    "behind",
    "b",
    "a",
  ]);
  expect(readdirSync(folder).filter((file) => file.startsWith("troupe-relay-atif-")).length).toBe(1);
  expect(relay.listRuntimeRegistrations()).toEqual([]);
  rmSync(folder, { recursive: true });
});

test("a trajectory is written once, when nothing of it is open: of a caller elsewhere, and of what outlives its scope", async () => {
  const folder = mkdtempSync(join(tmpdir(), "troupe-sessions-"));
  const relay = createRelay();
  const components = createComponents(relay);
  const config = { atif: atifConfig({ enabled: true, output_directory: folder }) };
  await using active = await components.initialize({ components: [ComponentSpec(config)] });
  const stepsOf = async (): Promise<number[]> => {
    await relay.flushSubscribers();
    return readdirSync(folder).map(
      (file) => JSON.parse(readFileSync(join(folder, file), "utf8")).steps.length,
    );
  };
  const request = { headers: {}, content: "?" };
  const caller = relay.createScopeFromPropagation({
    version: 1,
    rootUuid: "01a1fc5e-05b2-7e12-b850-cf21b651e4d6",
    parentUuid: "01a1fc5e-05b2-7e12-b850-cf21b651e4d7",
  });
  const called = (name: string) =>
    relay.withScopeStack(caller, () =>
      relay.withScope(name, "agent", () => relay.llmCallExecute("m", request, () => name)),
    );
  await called("one");
  await called("two");
  expect(await stepsOf()).toEqual([1, 1]);
  const stream = await relay.withScope("outlived", "agent", () =>
    relay.llmStreamCallExecute("m", request, async function* () {
      yield "late";
    }),
  );
  expect((await stepsOf()).length).toBe(2);
  for await (const _ of stream);
  expect(await stepsOf()).toEqual([1, 1, 1]);
  await active.close();
  expect(await stepsOf()).toEqual([1, 1, 1]);
  rmSync(folder, { recursive: true });
});
