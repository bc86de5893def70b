/** The examples of the relay run, and do what they say. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { attributesOf, Collector } from "../../packages/relay/test/driver/collector.ts";

async function run(example: string, env: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const program = fileURLToPath(new URL(`../../examples/${example}/main.ts`, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=troupe-source", program], {
    env: { ...process.env, ...env },
    timeout: 15_000,
  });
  return stdout.trimEnd().split("\n");
}

test("tracing: a collector gets one trace of an agent, its model and its tool", async () => {
  await using collector = await Collector.start();
  const endpoint = new URL(collector.endpoint("http_json", "traces")).origin;
  expect(await run("tracing", { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })).toEqual([`Sent to ${endpoint}.`]);
  const { spans } = collector;
  const names = [
    "chat small-model",
    "chat small-model",
    "execute_tool weather",
    "invoke_agent weather-helper",
  ];
  expect(spans.map(({ name }) => name).sort()).toEqual(names);
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  const chat = spans.find(({ name }) => name.startsWith("chat"));
  expect(attributesOf(chat?.attributes ?? [])).toMatchObject({
    "gen_ai.provider.name": "openai",
    "gen_ai.response.model": "small-model-2026",
    "gen_ai.usage.input_tokens": 40,
  });
  expect(collector.resource("traces")["service.name"]).toBe("weather-helper");
});

test("redaction: what is recorded has no personal data, and the caller has all of it", async () => {
  expect(await run("redaction")).toEqual([
    'worked with: {"name":"Ann","mail":"ann@example.com","phone":"+1 (415) 555-2671","note":"knows the owner"}',
    'recorded find-customer: {"mail":"a**@example.com"}',
    'recorded find-customer: {"name":"Ann","mail":"a**@example.com","phone":"[phone]"}',
  ]);
});
