/** Whatever a program hands to a function of the relay: an error of the relay, or an answer, and never a raw one. */
import { TroupeError } from "@troupe/base";
import * as core from "@troupe/relay";
import * as node from "@troupe/relay/node";
import {
  OpenTelemetryLogSubscriber,
  OpenTelemetryMetricSubscriber,
  OpenTelemetrySubscriber,
} from "@troupe/relay/opentelemetry";
import { createComponents } from "@troupe/relay/plugin";
import { typedLlmExecute, typedToolExecute } from "@troupe/relay/typed";
import { expect, test } from "vitest";
import { Driver } from "./driver/driver.ts";

const refuse = (): never => {
  throw new Error("raw");
};
const traps = {
  get: refuse,
  has: refuse,
  ownKeys: refuse,
  getPrototypeOf: refuse,
  getOwnPropertyDescriptor: refuse,
};
const ring: Record<string, unknown> = {};
ring.self = ring;
const throwing = Object.fromEntries(
  ["name", "kind", "parent", "metadata", "content", "type"].map((key) => [key, 1]),
);
for (const key of Object.keys(throwing))
  Object.defineProperty(throwing, key, { enumerable: true, get: refuse });
const odd: readonly unknown[] = [
  ...[undefined, null, 1, Number.NaN, "", {}, [], Symbol("s"), 10n, () => {}],
  ...[ring, throwing, new Proxy({}, traps), Object.create(null)],
];

/** What of these calls threw, or was rejected with, something that isn't the relay's. */
async function raw(what: string, call: (value: unknown) => unknown): Promise<string[]> {
  const found: string[] = [];
  for (const [n, value] of odd.entries()) {
    try {
      await Promise.race([call(value), new Promise((resolve) => setImmediate(resolve))]);
    } catch (error) {
      if (!TroupeError.is(error)) found.push(`${what} of odd[${n}]: ${String(error)}`);
    }
  }
  return found;
}

function call(target: object, name: string, ...args: readonly unknown[]): unknown {
  const fn: unknown = Reflect.get(target, name);
  return typeof fn === "function" ? Reflect.apply(fn, target, args) : undefined;
}

function made(of: unknown, ...args: readonly unknown[]): object {
  return typeof of === "function" ? Reflect.construct(of, args) : {};
}

function functionsOf(target: object): string[] {
  const names = new Set(Object.keys(target));
  for (const name of Object.getOwnPropertyNames(core.RelayCore.prototype)) names.add(name);
  return [...names].filter(
    (name) => name !== "constructor" && typeof descriptorOf(target, name)?.value === "function",
  );
}

function descriptorOf(target: object, name: string): PropertyDescriptor | undefined {
  return (
    Object.getOwnPropertyDescriptor(target, name) ??
    Object.getOwnPropertyDescriptor(core.RelayCore.prototype, name)
  );
}

const request = { headers: {}, content: {} };
const tool = () => ({ result: 1 });

test.each([false, true])("every function of a relay, listened to: %s", async (listened) => {
  const { relay } = new Driver({ listening: listened });
  const names = functionsOf(relay);
  expect(names.length).toBeGreaterThan(60);
  const found: string[] = [];
  for (const name of names) {
    const second =
      name === "withScope" || name === "pushScope" ? "agent" : name.startsWith("llm") ? request : {};
    // Any text is a value for who rewrites it, and a function's own errors are its own.
    if (name !== "toolRequestIntercepts" && name !== "toolCallElsewhere")
      found.push(...(await raw(`${name}(ok, x)`, (x) => call(relay, name, "ok", x))));
    found.push(...(await raw(`${name}(x)`, (x) => call(relay, name, x))));
    found.push(...(await raw(`${name}(ok, ok, x)`, (x) => call(relay, name, "ok", second, x))));
    found.push(...(await raw(`${name}(ok, ok, fn, x)`, (x) => call(relay, name, "ok", second, tool, x))));
  }
  const options: Readonly<Record<string, readonly string[]>> = {
    event: ["data", "dataSchema", "metadata", "severity", "category", "categoryProfile", "parent"],
    pushScope: ["data", "attributes", "metadata", "categoryProfile", "parent", "input"],
    toolCallExecute: ["data", "attributes", "metadata", "parent", "signal", "toolCallId"],
    llmStreamCallExecute: [
      "attributes",
      "metadata",
      "parent",
      "signal",
      "modelName",
      "codec",
      "collector",
      "finalizer",
    ],
  };
  for (const [name, keys] of Object.entries(options))
    for (const key of keys)
      found.push(
        ...(await raw(`${name}({ ${key}: x })`, (x) => {
          if (name === "event") return call(relay, name, "ok", { [key]: x });
          if (name === "pushScope") return call(relay, name, "ok", "agent", { [key]: x });
          return call(relay, name, "ok", request, tool, { [key]: x });
        })),
      );
  for (const key of ["name", "kind", "valueType", "value", "attributes", "boundaries"]) {
    const measurement = { name: "n", kind: "histogram", valueType: "f64", value: 1 };
    found.push(
      ...(await raw(`metric({ ${key}: x })`, (x) =>
        call(relay, "metric", "m", [{ ...measurement, [key]: x }]),
      )),
    );
  }
  for (const name of ["popScope", "toolCallEnd", "llmCallEnd"])
    found.push(
      ...(await raw(`${name}(scope, x)`, (x) => call(relay, name, relay.pushScope("s", "tool"), x))),
    );
  expect(found).toEqual([]);
  await relay.flushSubscribers();
});

test("exporters, codecs, contexts and components", async () => {
  const found: string[] = [];
  const relay = node.createRelay();
  const exporters = {
    ...node,
    OpenTelemetryLogSubscriber,
    OpenTelemetryMetricSubscriber,
    OpenTelemetrySubscriber,
  };
  const usual = {
    type: "gen_ai",
    endpoint: "http://127.0.0.1:1/",
    sessionId: "s",
    agentName: "a",
    agentVersion: "1",
  };
  for (const [name, of] of Object.entries(exporters)) {
    if (!/(?:Exporter|Subscriber)$/.test(name)) continue;
    found.push(...(await raw(`new ${name}(x)`, (x) => made(of, x))));
    for (const key of [
      "outputDirectory",
      "filename",
      "maxBytes",
      "endpoint",
      "headers",
      "markExcludeNames",
      "temporality",
    ])
      found.push(...(await raw(`new ${name}({ ${key}: x })`, (x) => made(of, { ...usual, [key]: x }))));
    found.push(...(await raw(`${name}.register`, (x) => call(made(of, usual), "register", x, "name"))));
  }
  for (const codec of core.builtinCodecs) {
    for (const name of ["decode", "decodeResponse", "recognises", "recognisesResponse"])
      found.push(...(await raw(`${codec.name}.${name}(x)`, (x) => call(codec, name, x))));
    found.push(
      ...(await raw(`${codec.name}.decode({ content: x })`, (x) => call(codec, "decode", { content: x }))),
    );
    for (const key of ["choices", "candidates", "response", "item", "delta", "content_block", "message"])
      found.push(
        ...(await raw(`${codec.name} stream { ${key}: x }`, (x) => {
          const collector = codec.collectStream();
          for (const chunk of [x, { [key]: x }, { [key]: [x] }]) {
            collector.add(chunk);
            collector.describe?.(chunk);
          }
          return collector.end();
        })),
      );
  }
  for (const name of ["codecNamed", "detectCodec", "detectResponseCodec", "propagationContextFromJson"])
    found.push(...(await raw(name, (x) => call(core, name, x))));
  for (const name of ["propagationContextToJson", "propagationContextToTraceparent", "relayOn"])
    found.push(...(await raw(name, (x) => call(core, name, x))));
  found.push(...(await raw("createRelay", (x) => call(node, "createRelay", x))));
  found.push(...(await raw("typedTool", (x) => call({ typedToolExecute }, "typedToolExecute", relay, x))));
  found.push(...(await raw("typedLlm", (x) => call({ typedLlmExecute }, "typedLlmExecute", relay, x))));
  const components = createComponents(relay);
  for (const name of ["validate", "initialize"]) {
    found.push(...(await raw(`components.${name}`, (x) => call(components, name, x))));
    for (const kind of ["pricing", "pii_redaction", "adaptive", "observability"])
      found.push(
        ...(await raw(kind, (x) =>
          call(components, name, { version: 1, components: [{ kind, config: x }] }),
        )),
      );
  }
  expect(found).toEqual([]);
});
