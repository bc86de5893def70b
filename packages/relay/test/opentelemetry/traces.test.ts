/** Scopes as spans of a collector, over each way to speak to it. */
import { codecNamed, type Relay } from "@troupe/relay";
import { createRelay } from "@troupe/relay/node";
import { OpenTelemetrySubscriber, type OpenTelemetryTraceOptions } from "@troupe/relay/opentelemetry";
import { expect, test } from "vitest";
import { answers, requests } from "../codecs/payloads.ts";
import { attributesOf, Collector } from "../driver/collector.ts";

const transports = ["http_binary", "http_json", "grpc"] as const;

function exporterTo(
  collector: Collector,
  transport: (typeof transports)[number],
  more: Partial<OpenTelemetryTraceOptions> = {},
): OpenTelemetrySubscriber {
  return new OpenTelemetrySubscriber({
    type: "gen_ai",
    endpoint: collector.endpoint(transport, "traces"),
    transport,
    headers: { "x-tenant": "acme" },
    serviceName: "shop",
    serviceVersion: "1.2.3",
    resourceAttributes: { region: "north" },
    ...more,
  });
}

/** An agent that asks a model, runs a tool that fails, and notes something. */
async function conversation(relay: Relay): Promise<void> {
  const codec = codecNamed("anthropic_messages");
  const request = {
    headers: { authorization: "Bearer t0ps3cret-t0ps3cret" },
    content: requests.anthropic_messages,
  };
  await relay.withScope("assistant", "agent", async () => {
    await relay.llmCallExecute("anthropic", request, () => answers.anthropic_messages, { codec });
    relay.event("noted", { data: { n: 1 } });
    const failing = () => {
      throw new TypeError("no such city");
    };
    await relay.toolCallExecute("weather", { city: "Oz" }, failing, { toolCallId: "tu" }).catch(() => {});
  });
}

test.each(transports)("%s: an agent's work is one trace with the GenAI conventions", async (transport) => {
  await using collector = await Collector.start();
  const relay = createRelay();
  await using exporter = exporterTo(collector, transport);
  exporter.register(relay, "otel");
  await conversation(relay);
  await exporter.forceFlush();
  const { spans } = collector;
  const [agent, chat, tool] = ["invoke_agent assistant", "chat claude-x", "execute_tool weather"].map(
    (name) => spans.find((span) => span.name === name),
  );
  expect(spans.length).toBe(3);
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  expect([chat?.parentSpanId, tool?.parentSpanId]).toEqual([agent?.spanId, agent?.spanId]);
  expect(agent?.parentSpanId ?? "").toBe("");
  expect(attributesOf(chat?.attributes ?? [])).toMatchObject({
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-x",
    "gen_ai.request.max_tokens": 100,
    "gen_ai.request.temperature": 0.3,
    "gen_ai.request.stop_sequences": ["x"],
    "gen_ai.response.id": "msg",
    "gen_ai.response.model": "claude-x",
    "gen_ai.response.finish_reasons": ["tool_use"],
    // 10, and 5 that the provider counts apart.
    "gen_ai.usage.input_tokens": 15,
    "gen_ai.usage.output_tokens": 5,
    "gen_ai.usage.cache_read.input_tokens": 2,
    "gen_ai.usage.cache_creation.input_tokens": 3,
  });
  expect(chat?.kind).toBe(3);
  expect(attributesOf(tool?.attributes ?? [])).toMatchObject({
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "weather",
    "gen_ai.tool.call.id": "tu",
    "error.type": "internal_error",
  });
  expect(tool?.status).toMatchObject({ code: 2, message: "no such city" });
  expect(agent?.events.map(({ name }) => name)).toEqual(["noted"]);
  // The tool that the answer asks for, without what it asks it with.
  expect(chat?.events.map((event) => [event.name, attributesOf(event.attributes)])).toEqual([
    ["llm.tool_call", { "gen_ai.tool.name": "f", "gen_ai.tool.call.id": "tu" }],
  ]);
  expect(BigInt(chat?.endTimeUnixNano ?? 0)).toBeGreaterThan(BigInt(chat?.startTimeUnixNano ?? 0));
  expect(collector.resource("traces")).toMatchObject({
    "service.name": "shop",
    "service.version": "1.2.3",
    region: "north",
  });
  const tenant =
    transport === "grpc" ? collector.metadata[0]?.get("x-tenant")[0] : collector.headers[0]?.["x-tenant"];
  expect(tenant).toBe("acme");
  expect(collector.raw.join()).not.toMatch(/t0ps3cret|Oz|"t\\nu"/);
});

test("content is told where it is asked for, in the conventions' shape", async () => {
  await using collector = await Collector.start();
  const relay = createRelay();
  await using exporter = exporterTo(collector, "http_json", { captureContent: true });
  exporter.register(relay, "otel");
  await conversation(relay);
  await exporter.forceFlush();
  const span = collector.spans.find(({ name }) => name === "chat claude-x");
  const chat = attributesOf(span?.attributes ?? []);
  expect(span?.events.map((event) => attributesOf(event.attributes))).toMatchObject([
    { "gen_ai.tool.name": "f", "gen_ai.tool.call.arguments": '{"a":1}' },
  ]);
  expect(JSON.parse(String(chat["gen_ai.input.messages"]))[0]).toEqual({
    role: "user",
    parts: [{ type: "text", content: "hi" }],
  });
  expect(JSON.parse(String(chat["gen_ai.output.messages"]))).toMatchObject([
    {
      role: "assistant",
      finish_reason: "tool_use",
      parts: [{ type: "text", content: "t\nu" }, { type: "tool_call" }],
    },
  ]);
  const tool = attributesOf(
    collector.spans.find(({ name }) => name === "execute_tool weather")?.attributes ?? [],
  );
  expect(tool["gen_ai.tool.call.arguments"]).toBe('{"city":"Oz"}');
});

test("OpenInference: kinds, messages one by one, tokens", async () => {
  await using collector = await Collector.start();
  const relay = createRelay();
  await using exporter = exporterTo(collector, "http_binary", { type: "openinference" });
  exporter.register(relay, "otel");
  await conversation(relay);
  await exporter.forceFlush();
  const span = (name: string) =>
    attributesOf(collector.spans.find((one) => one.name === name)?.attributes ?? []);
  expect(span("anthropic")).toMatchObject({
    "openinference.span.kind": "LLM",
    "llm.model_name": "claude-x",
    "llm.token_count.prompt": 10,
    "llm.token_count.prompt_details.cache_read": 2,
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.content": "hi",
    "llm.output_messages.0.message.content": "t\nu",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "f",
    "output.mime_type": "application/json",
  });
  expect(span("assistant")).toMatchObject({ "openinference.span.kind": "AGENT" });
  expect(span("weather")).toMatchObject({
    "openinference.span.kind": "TOOL",
    "tool.name": "weather",
    "input.value": '{"city":"Oz"}',
  });
});

test("full: payloads, metadata and aliases; marks as spans where they are asked for", async () => {
  await using collector = await Collector.start();
  const relay = createRelay();
  await using exporter = exporterTo(collector, "http_json", {
    type: "full",
    markProjection: "tool",
    attributeMappings: [{ key: "tenant", alias: "customer" }],
  });
  exporter.register(relay, "otel");
  await relay.withScope("w", "function", () => relay.event("inside", { data: { x: 1 } }), {
    input: { a: 1 },
    metadata: { tenant: "acme" },
  });
  await exporter.forceFlush();
  const [mark, scope] = collector.spans;
  expect([mark?.name, mark?.parentSpanId]).toEqual(["inside", scope?.spanId]);
  expect(attributesOf(scope?.attributes ?? [])).toMatchObject({
    tenant: "acme",
    customer: "acme",
    "nemo_relay.scope.type": "function",
    "nemo_relay.input": '{"a":1}',
  });
});

test("work that came from another process is in its trace, as traceparent says", async () => {
  await using collector = await Collector.start();
  const [here, there] = [createRelay(), createRelay()];
  await using exporter = exporterTo(collector, "http_json");
  exporter.register(there, "otel");
  let traceparent: string | undefined;
  await here.withScope("outer", "agent", () =>
    here.withScope("inner", "agent", async () => {
      traceparent = here.captureTraceparent();
      const context = here.capturePropagationContext();
      if (context === undefined) throw new Error("no context");
      await there.withScopeStack(there.createScopeFromPropagation(context), () =>
        there.withScope("remote", "function", () => there.event("mark")),
      );
    }),
  );
  await exporter.forceFlush();
  const [span] = collector.spans;
  expect(`00-${span?.traceId}-${span?.parentSpanId}-01`).toBe(traceparent);
});

test("a mark behind its scope's end is a span of its own, and what never ended is told at shutdown", async () => {
  await using collector = await Collector.start();
  const relay = createRelay();
  const exporter = exporterTo(collector, "http_json", { type: "full" });
  exporter.register(relay, "otel");
  const over = relay.pushScope("over", "function");
  relay.popScope(over);
  relay.event("late", { parent: over });
  relay.pushScope("never", "function");
  await exporter.shutdown();
  expect(collector.spans.map(({ name }) => name).sort()).toEqual(["late", "never", "over"]);
  expect(exporter.runtimeDiagnostics()).toEqual([
    { code: "otel.span_unended", message: "scopes that were told before they ended", count: 1 },
  ]);
});

test("a collector that refuses is counted, and the next batch is tried", async () => {
  await using collector = await Collector.start();
  collector.status = 400;
  const relay = createRelay();
  const exporter = exporterTo(collector, "http_json", {
    headers: { authorization: "Bearer t0ps3cret-t0ps3cret" },
  });
  exporter.register(relay, "otel");
  await relay.withScope("lost", "function", () => {});
  const error: unknown = await exporter.forceFlush().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "export_failed", cause: { code: "collector_refused" } });
  expect(`${error}${JSON.stringify(error)}${Object(error).cause}`).not.toContain("t0ps3cret");
  expect(exporter.runtimeDiagnostics().map(({ code, count }) => [code, count])).toEqual([
    ["otel.export_failed", 1],
    ["otel.items_lost", 1],
  ]);
  collector.status = 200;
  await relay.withScope("kept", "function", () => {});
  await exporter.shutdown();
  expect(collector.spans.map(({ name }) => name)).toEqual(["kept"]);
});

test("a whole number that no int64 has is told as text: a collector would refuse all spans that come with it", async () => {
  await using collector = await Collector.start();
  const relay = createRelay();
  await using exporter = exporterTo(collector, "http_json", { type: "full" });
  exporter.register(relay, "otel");
  const metadata = { huge: 1e300, list: [1, 2 ** 63], fits: 2 ** 53, "": 1 };
  await relay.withScope("s", "agent", () => {}, { metadata });
  await exporter.forceFlush();
  const told = attributesOf(collector.spans[0]?.attributes ?? []);
  expect(told).toMatchObject({ huge: "1e+300", list: "[1,9223372036854776000]", fits: 2 ** 53 });
  expect(Object.keys(told)).not.toContain("");
});
