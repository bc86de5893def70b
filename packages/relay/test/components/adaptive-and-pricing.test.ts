/** The response cache, hints, and prices, as components. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codecNamed, type LlmRequest } from "@troupe/relay";
import {
  ComponentSpec as adaptive,
  adaptiveHintsConfig,
  type Config,
  responseCacheConfig,
} from "@troupe/relay/adaptive";
import {
  catalogEntry,
  fileSource,
  inlineCatalog,
  inlineSource,
  ComponentSpec as pricing,
  pricingConfig,
  tokenRates,
} from "@troupe/relay/model-pricing";
import { createComponents } from "@troupe/relay/plugin";
import { expect, test } from "vitest";
import { answers, requests } from "../codecs/payloads.ts";
import { Driver } from "../driver/driver.ts";

async function driverWith(
  config: Config,
): Promise<{ driver: Driver; components: ReturnType<typeof createComponents> }> {
  const driver = new Driver();
  const components = createComponents(driver.relay);
  await components.initialize({ components: [adaptive(config)] });
  return { driver, components };
}

/** A model that counts how often it is asked. */
function asking(driver: Driver) {
  const requests: LlmRequest[] = [];
  const ask = (content: object, headers: Record<string, string> = {}): Promise<unknown> =>
    driver.relay.llmCallExecute("model", { headers, content }, (request) => {
      requests.push(request);
      return { n: requests.length, list: [1] };
    });
  return { requests, ask };
}

test("the same request has the same answer, which nobody can change for others; marks say what it was", async () => {
  const { driver } = await driverWith({ responseCache: responseCacheConfig({ namespace: "ns" }) });
  const { requests: asked, ask } = asking(driver);
  const first = await ask({ temperature: 0, q: 1, r: 2 });
  Object(first).list.push("changed");
  expect(await ask({ r: 2, q: 1, temperature: 0 })).toEqual({ n: 1, list: [1] });
  await ask({ temperature: 0, q: 2 });
  expect(asked.length).toBe(2);
  await driver.relay.flushSubscribers();
  const marks = driver.events.filter(({ name }) => name === "response_cache");
  expect(marks.map(({ data }) => Object(data).status)).toEqual(["miss", "hit", "miss"]);
  expect(marks[0]?.metadata).toMatchObject({ "nemo_relay.response_cache.surface": "llm" });
});

test("what JSON can't say whole has no key: it is asked anew, and never answered for another", async () => {
  const { driver } = await driverWith({ responseCache: responseCacheConfig({ namespace: "ns" }) });
  const { requests: asked, ask } = asking(driver);
  const deep = (leaf: string, depth: number) => {
    let value: unknown = leaf;
    for (let n = 0; n < depth; n++) value = { value };
    return value;
  };
  const wide = (leaf: string) => [...Array.from({ length: 100_001 }, () => 0), leaf];
  const unlike: unknown[] = [
    ...[new Uint8Array([1, 2]), new Uint8Array([3, 4]), 1n, "1", new Date(0), new Date(0).toISOString()],
    ...[deep("a", 80), deep("b", 80), wide("a"), wide("b"), [undefined], [null], Array(1), NaN, "NaN"],
    ...[deep("a", 20_000), deep("b", 20_000), [() => 1], { f: () => 1 }, {}],
  ];
  for (const value of unlike) await ask({ temperature: 0, value });
  expect(asked.length).toBe(unlike.length);
  for (const leaf of ["a", "b"]) await ask({ temperature: 0, value: deep(leaf, 80) });
  expect(asked.length).toBe(unlike.length);
});

test("what may differ isn't kept, unless it is asked for; headers are part of the key where they are named", async () => {
  const { driver } = await driverWith({ responseCache: responseCacheConfig({ namespace: "ns" }) });
  const { requests: asked, ask } = asking(driver);
  for (const content of [{ q: 1 }, { q: 1 }, { temperature: 0.5 }, { temperature: 0.5 }]) await ask(content);
  expect(asked.length).toBe(4);
  const config = { namespace: "ns", cacheNondeterministic: true, headerAllowlist: ["X-Tenant"] };
  const { driver: other } = await driverWith({ responseCache: responseCacheConfig(config) });
  const { requests: told, ask: askOther } = asking(other);
  await askOther({ q: 1 }, { "x-tenant": "a", other: "1" });
  await askOther({ q: 1 }, { "X-TENANT": "a", other: "2" });
  await askOther({ q: 1 }, { "x-tenant": "b" });
  expect(told.length).toBe(2);
});

test("answers get too old, and a failure isn't kept", async () => {
  const driver = new Driver();
  const components = createComponents(driver.relay);
  await components.initialize({
    components: [adaptive({ responseCache: responseCacheConfig({ namespace: "ns", bypassRate: 1 }) })],
  });
  const { requests: asked, ask } = asking(driver);
  await ask({ temperature: 0 });
  await ask({ temperature: 0 });
  expect(asked.length).toBe(2);
  let fail = true;
  const { driver: other } = await driverWith({ responseCache: responseCacheConfig({ namespace: "ns" }) });
  const request = { headers: {}, content: { temperature: 0 } };
  const flaky = () => {
    if (fail) throw new Error("busy");
    return "fine";
  };
  await other.relay.llmCallExecute("model", request, flaky).catch(() => {});
  fail = false;
  expect(await other.relay.llmCallExecute("model", request, flaky)).toBe("fine");
});

test("tools are cached by name, class and default, without the arguments that don't count", async () => {
  const tools = {
    enabled: true,
    classes: { reads: { cacheable: true, members: ["get*"], argSkip: ["trace"] } },
    overrides: { getTime: { cacheable: false } },
  };
  const { driver } = await driverWith({ responseCache: responseCacheConfig({ namespace: "ns", tools }) });
  const called: string[] = [];
  const call = (name: string, args: object) =>
    driver.relay.toolCallExecute(name, args, () => {
      called.push(name);
      return { result: called.length };
    });
  for (let n = 0; n < 2; n++)
    for (const name of ["getUser", "getTime", "putUser"]) await call(name, { id: 1, trace: n });
  expect(called).toEqual(["getUser", "getTime", "putUser", "getTime", "putUser"]);
});

test("hints: none at first, then what is known, in header and body; a codec's content is changed by its words", async () => {
  const { driver, components } = await driverWith({ adaptive_hints: adaptiveHintsConfig() });
  const codec = codecNamed("openai_chat");
  const sent: LlmRequest[] = [];
  const ask = (options: object = {}) =>
    driver.relay.llmCallExecute(
      "model",
      { headers: {}, content: requests.openai_chat },
      (request) => {
        sent.push(request);
        return answers.openai_chat;
      },
      options,
    );
  await driver.relay.withScope("helper", "agent", async () => {
    await ask({ codec });
    await driver.relay.flushSubscribers();
    await ask();
    components.setLatencySensitivity(4.5);
    await ask({ codec });
  });
  expect(JSON.stringify(sent[0])).not.toContain("agent_hints");
  const hints = (n: number) => Object(sent[n]?.content).nvext?.agent_hints;
  expect(hints(1)).toMatchObject({
    latency_sensitivity: 3,
    priority: 2,
    prefix_id: "helper-d1",
    total_requests: 2,
    osl: 5,
  });
  expect(hints(2)).toMatchObject({ latency_sensitivity: 4.5, total_requests: 3 });
  expect(JSON.parse(sent[2]?.headers["x-nemo-relay-adaptive-agent-hints"] ?? "")).toEqual(hints(2));
  expect({ ...Object(sent[2]?.content), nvext: undefined }).toEqual({
    ...requests.openai_chat,
    nvext: undefined,
  });
});

test("prices stand in the end events of models, from a file and with or without a codec", async () => {
  const folder = mkdtempSync(join(tmpdir(), "troupe-prices-"));
  try {
    const about = { provider: "openai", pricing_as_of: "2026-01-01", pricing_source: "x" };
    const rates = tokenRates({ input_per_million: 10, output_per_million: 20, cache_read_per_million: 1 });
    const path = join(folder, "prices.json");
    writeFileSync(
      path,
      JSON.stringify(inlineCatalog([catalogEntry({ ...about, model_id: "gpt-4o-1", rates })])),
    );
    const driver = new Driver();
    const components = createComponents(driver.relay);
    await components.initialize({ components: [pricing(pricingConfig([fileSource(path)]))] });
    const request = { headers: {}, content: requests.openai_chat };
    for (const options of [{ codec: codecNamed("openai_chat") }, {}])
      await driver.relay.llmCallExecute("model", request, () => answers.openai_chat, options);
    await driver.relay.llmCallExecute("model", request, () => "no response of anybody's");
    await driver.relay.flushSubscribers();
    const costs = driver.events
      .filter((event) => event.kind === "scope" && event.scope_category === "end")
      .map(({ category_profile: profile }) => Object(profile?.annotated_response).usage?.cost?.total);
    expect(costs).toEqual([0.000164, 0.000164, undefined]);
    const missing = components.validate({
      components: [pricing(pricingConfig([fileSource(join(folder, "no.json"))]))],
    });
    expect(missing.diagnostics).toMatchObject([{ level: "error", field: "sources[0].path" }]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("what a model of Gemini's thinks is billed as output", async () => {
  const about = { provider: "google", pricing_as_of: "2026-01-01", pricing_source: "x" };
  const rates = tokenRates({ input_per_million: 10, output_per_million: 20 });
  const catalog = inlineCatalog([catalogEntry({ ...about, model_id: "g", rates })]);
  const driver = new Driver();
  const components = createComponents(driver.relay);
  await components.initialize({ components: [pricing(pricingConfig([inlineSource(catalog)]))] });
  const response = {
    modelVersion: "g",
    candidates: [{ content: { role: "model", parts: [{ text: "a" }] }, finishReason: "STOP" }],
    usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 5, thoughtsTokenCount: 100 },
  };
  const codec = codecNamed("gemini_generate_content");
  const request = { headers: {}, content: { contents: [] } };
  await driver.relay.llmCallExecute("model", request, () => response, { codec });
  expect((await driver.find("model", "end")).category_profile).toMatchObject({
    annotated_response: { usage: { completion_tokens: 5, cost: { output: 0.0021, total: 0.0022 } } },
  });
});
