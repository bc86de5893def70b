/** A planted secret reaches no exporter, no log and no error, and every exporter that is told to send it does. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { codecNamed, type Relay, relayOn } from "@troupe/relay";
import { AtifExporter, AtofExporter, PrometheusExporter } from "@troupe/relay/node";
import {
  OpenTelemetryLogSubscriber,
  OpenTelemetryMetricSubscriber,
  OpenTelemetrySubscriber,
} from "@troupe/relay/opentelemetry";
import { expect, test } from "vitest";
import { platformEnv } from "../src/platform.ts";
import { Collector } from "./driver/collector.ts";
import { Receiver } from "./driver/receiver.ts";

/** What each planted secret has in it, so that a part of it would be found too. */
const PLANTED = "pl4ntedT0ken";
const key = `sk-${PLANTED}${PLANTED}`;
const planted = [
  `Bearer ${PLANTED}.${PLANTED}`,
  `eyJ${PLANTED}.${PLANTED}.${PLANTED}`,
  `https://user:${PLANTED}@host/path`,
  key,
];

/** Secrets in every place that a program can put them into. */
async function leak(relay: Relay): Promise<void> {
  const codec = codecNamed("openai_chat");
  const text = `my keys: ${planted.join(" and ")}`;
  const request = {
    headers: {
      Authorization: `Basic ${PLANTED}`,
      "X-Api-Key": PLANTED,
      cookie: PLANTED,
      "set-cookie": PLANTED,
    },
    content: { model: "m", api_key: PLANTED, messages: [{ role: "user", content: text }] },
  };
  const response = {
    id: "i",
    choices: [{ index: 0, message: { content: text }, finish_reason: "stop" }],
    secret: PLANTED,
  };
  await relay.withScope(
    "agent",
    "agent",
    async () => {
      await relay.llmCallExecute("m", request, () => response, { codec, metadata: { token: key } });
      async function* chunks() {
        yield { choices: [{ index: 0, delta: { content: text }, finish_reason: "stop" }], model: "m" };
      }
      const stream = await relay.llmStreamCallExecute("s", request, chunks, { codec });
      for await (const _chunk of stream);
      await relay.toolCallExecute("t", { password: PLANTED, deep: [{ text }] }, () => ({
        result: { text, access_token: PLANTED },
        annotation: { note: text },
      }));
      const failing = (): never => {
        throw new Error(`401 for ${key}`);
      };
      await relay.toolCallExecute("fails", {}, failing).catch(() => {});
      relay.event(`mark ${key}`, {
        data: text,
        metadata: { note: text, "client-secret": PLANTED },
        severity: "error",
      });
      const attributes = { who: key };
      relay.metric("n", [{ name: "n", kind: "counter", valueType: "u64", value: 1, attributes }]);
    },
    { input: { text }, metadata: { refresh_token: PLANTED } },
  );
}

async function sent(includeSecrets: boolean): Promise<Readonly<Record<string, string>>> {
  const folder = mkdtempSync(join(tmpdir(), "troupe-secrets-"));
  await using collector = await Collector.start();
  await using receiver = await Receiver.start();
  const logged: unknown[] = [];
  const log = { warn: (message: string, fields?: object) => void logged.push(message, fields) };
  const relay = relayOn({ ...platformEnv(), log });
  const options = { includeSecrets };
  const otel = { ...options, transport: "http_json", captureContent: true } as const;
  const traces = { ...otel, endpoint: collector.endpoint("http_json", "traces") };
  const file = new AtofExporter({ ...options, outputDirectory: folder, filename: "e.jsonl" });
  const atif = new AtifExporter({ ...options, sessionId: "s", agentName: "a", agentVersion: "1" });
  const prometheus = new PrometheusExporter(options);
  const exporters = [
    ...[file, atif, prometheus],
    new AtofExporter({ ...options, type: "stream", url: receiver.url(false) }),
    ...(["full", "gen_ai", "openinference"] as const).map(
      (type) => new OpenTelemetrySubscriber({ ...traces, type }),
    ),
    new OpenTelemetryLogSubscriber({ ...otel, endpoint: collector.endpoint("http_json", "logs") }),
    new OpenTelemetryMetricSubscriber({ ...otel, endpoint: collector.endpoint("http_json", "metrics") }),
  ];
  for (const [n, exporter] of exporters.entries()) exporter.register(relay, `exporter-${n}`);
  await leak(relay);
  for (const exporter of exporters) await exporter.forceFlush();
  const texts = {
    file: readFileSync(String(file.path), "utf8"),
    atif: atif.exportJson(),
    prometheus: prometheus.text(),
    stream: JSON.stringify(receiver.received),
    traces: collector.raw.filter((text) => text.includes("resourceSpans")).join(),
    logs: collector.raw.filter((text) => text.includes("resourceLogs")).join(),
    metrics: collector.raw.filter((text) => text.includes("resourceMetrics")).join(),
    log: JSON.stringify(logged),
  };
  for (const exporter of exporters) await exporter.shutdown();
  rmSync(folder, { recursive: true });
  return texts;
}

test("no exporter sends what was planted", async () => {
  const texts = await sent(false);
  expect(Object.entries(texts).filter(([, text]) => text.includes(PLANTED))).toEqual([]);
  for (const [name, text] of Object.entries(texts))
    if (name !== "log") expect([name, text.includes("[REDACTED]")]).toEqual([name, true]);
});

test("whoever asks for secrets gets them, but never the headers that no event has", async () => {
  const texts = await sent(true);
  const without = Object.entries(texts).filter(([name, text]) => name !== "log" && !text.includes(PLANTED));
  expect(without.map(([name]) => name)).toEqual([]);
  expect(texts.file).not.toContain(`Basic ${PLANTED}`);
});

test("an exporter that fails tells its log and its caller nothing of what it was to send", async () => {
  const logged: unknown[] = [];
  const log = {
    warn: (message: string, fields?: object) => void logged.push(message, JSON.stringify(fields), fields),
  };
  const relay = relayOn({ ...platformEnv(), log });
  const headers = { authorization: `Bearer ${PLANTED}` };
  const nowhere = `http://user:${PLANTED}@127.0.0.1:1/x?key=${PLANTED}`;
  const stream = new AtofExporter({ type: "stream", url: nowhere.replace(/\/\/.*@/, "//"), headers });
  const otel = new OpenTelemetrySubscriber({ type: "full", endpoint: nowhere, headers, timeoutMillis: 300 });
  const errors: unknown[] = [];
  for (const exporter of [stream, otel]) {
    exporter.register(relay, "x");
    await leak(relay);
    await exporter.shutdown().catch((error: unknown) => errors.push(error));
  }
  expect(errors.length).toBe(2);
  const told = errors.map((error) => `${error} ${JSON.stringify(error)} ${inspected(error)}`);
  expect([...told, ...logged.map(inspected)].join("\n")).not.toContain(PLANTED);
});

/** An error with all of its causes, as a log would print it. */
function inspected(value: unknown): string {
  if (!(value instanceof Error)) return JSON.stringify(value) ?? "";
  return `${value.stack} ${JSON.stringify({ ...value })} ${value.cause === undefined ? "" : inspected(value.cause)}`;
}

test("what a subscriber, a sanitizer or a gate throws is logged without the secrets that it quotes", async () => {
  const logged: unknown[] = [];
  const log = { warn: (_message: string, fields?: object) => void logged.push(Object(fields).error) };
  const relay = relayOn({ ...platformEnv(), log });
  const plain = new Error("no secret");
  const failing = (of: string) => () => {
    throw new TypeError(`${of} can't read`, { cause: new Error(`at password=${PLANTED}`) });
  };
  relay.registerSubscriber("quotes", failing("subscriber"));
  relay.registerMarkSanitizeGuardrail("quotes", failing("sanitizer"));
  relay.registerEventMetadataInjector("plain", () => {
    throw plain;
  });
  const about = { kinds: ["subscriber"], name: "quotes" } as const;
  relay.registerConditionalMiddlewareGuardrail("quotes", failing("gate"), { about });
  relay.event("m", { data: "x" });
  await relay.flushSubscribers();
  const text = inspect(logged, { depth: 9 });
  expect(logged.length).toBe(4);
  expect(text).not.toContain(PLANTED);
  for (const told of ["gate can't read", "sanitizer can't read", "subscriber can't read", "[REDACTED]"])
    expect(text).toContain(told);
  expect(logged).toContain(plain);
});
