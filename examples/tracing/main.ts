/**
 * An agent's work as traces in a collector: start one at `http://127.0.0.1:4318`, or say where it is with
 * OTEL_EXPORTER_OTLP_ENDPOINT.
 */
import { codecNamed, createRelay } from "troupe/relay";
import { OpenTelemetrySubscriber } from "troupe/relay/opentelemetry";

const collector = process.env.OTEL_EXPORTER_OTLP_ENDPOINT ?? "http://127.0.0.1:4318";
const relay = createRelay();
await using traces = new OpenTelemetrySubscriber({
  type: "gen_ai",
  endpoint: `${collector}/v1/traces`,
  serviceName: "weather-helper",
});
traces.register(relay, "traces");

/** Stands for a provider: it asks for a tool, and answers when it has what the tool said. */
function provider({ content }: { readonly content: unknown }): object {
  const known = JSON.stringify(content).includes("21 degrees");
  const ask = {
    id: "call-1",
    type: "function",
    function: { name: "weather", arguments: '{"city":"Lisbon"}' },
  };
  const message = known
    ? { role: "assistant", content: "It is 21 degrees in Lisbon." }
    : { role: "assistant", content: null, tool_calls: [ask] };
  return {
    model: "small-model-2026",
    choices: [{ index: 0, message, finish_reason: known ? "stop" : "tool_calls" }],
    usage: { prompt_tokens: 40, completion_tokens: 12, total_tokens: 52 },
  };
}

await relay.withScope("weather-helper", "agent", async () => {
  const messages: object[] = [{ role: "user", content: "How warm is it in Lisbon?" }];
  const ask = () => {
    const request = { headers: {}, content: { model: "small-model", messages } };
    return relay.llmCallExecute("openai", request, provider, { codec: codecNamed("openai_chat") });
  };
  await ask();
  const { result } = await relay.toolCallExecute(
    "weather",
    { city: "Lisbon" },
    () => ({ result: "21 degrees" }),
    {
      toolCallId: "call-1",
    },
  );
  messages.push({ role: "tool", tool_call_id: "call-1", content: result });
  await ask();
});
await traces.forceFlush();
console.log(`Sent to ${collector}.`);
