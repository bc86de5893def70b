/** Calls that the program begins and ends itself, chains run by themselves, and metric marks. */
import { isGuardrailRejected, type Measurement, metricSchema } from "@troupe/relay";
import { expect, test } from "vitest";
import { codeOf, Driver, thrownBy } from "./driver/driver.ts";

test("a manual call has the events of a managed one, sanitized, and asks nobody", async () => {
  const driver = new Driver();
  const { relay } = driver;
  relay.registerToolConditionalExecutionGuardrail("no", () => "no");
  relay.registerToolSanitizeRequestGuardrail("hide", () => "hidden");
  relay.registerLlmSanitizeResponseGuardrail("hide", () => "hidden");
  const tool = relay.toolCall("t", { secret: 1 }, { toolCallId: "c1" });
  const model = relay.llmCall(
    "l",
    { headers: { cookie: "s" }, content: 1 },
    { parent: tool, modelName: "m" },
  );
  relay.llmCallEnd(model, { secret: 1 });
  relay.toolCallEnd(tool, { result: 2, annotation: { a: 1 } }, { metadata: { k: "v" } });
  const failing = relay.toolCall("f", {});
  relay.toolCallEnd(failing, { result: null }, { error: new TypeError("boom") });
  expect(await driver.story()).toEqual([
    ...[
      'start tool t "hidden"',
      'start llm l {"headers":{},"content":1}',
      'end llm l "hidden"',
      "end tool t 2",
    ],
    ...['start tool f "hidden"', "end tool f null"],
  ]);
  expect(await driver.find("t", "end")).toMatchObject({
    category_profile: { tool_call_id: "c1", tool_result_annotation: { a: 1 } },
    metadata: { k: "v", "otel.status_code": "OK" },
  });
  expect((await driver.find("l", "start")).parent_uuid).toBe(tool.uuid);
  expect((await driver.find("f", "end")).metadata).toMatchObject({ "exception.type": "TypeError" });
  expect(thrownBy(() => relay.toolCallEnd(tool, { result: 1 }))).toBe("relay.scope_ended");
});

test("guardrails and request intercepts can be asked for a call that is made elsewhere", async () => {
  const { relay, events } = new Driver();
  relay.registerToolConditionalExecutionGuardrail("no", ({ args }) => (args === "bad" ? "no" : null));
  relay.registerLlmConditionalExecutionGuardrail("no", () => "no");
  relay.registerActionConditionalExecutionGuardrail("no", ({ action }) => (action === "drop" ? "no" : null));
  relay.registerToolRequestIntercept("more", ({ args }) => [args, 1]);
  relay.registerLlmRequestIntercept("more", ({ request }) => ({ request: { ...request, content: 2 } }));
  const request = { headers: {}, content: 1 };
  const action = { actor: "a", actorId: "1", key: [], args: [], message: false };
  expect(await codeOf(relay.toolConditionalExecution("t", "good"))).toBe("fulfilled");
  expect(await codeOf(relay.actionConditionalExecution({ ...action, action: "keep" }))).toBe("fulfilled");
  for (const refused of [
    relay.toolConditionalExecution("t", "bad"),
    relay.llmConditionalExecution("l", request),
    relay.actionConditionalExecution({ ...action, action: "drop" }),
  ])
    expect(isGuardrailRejected(await refused.catch((error: unknown) => error))).toBe(true);
  expect(await relay.toolRequestIntercepts("t", 0)).toEqual([0, 1]);
  expect(await relay.llmRequestIntercepts("l", request)).toEqual({ headers: {}, content: 2 });
  await relay.flushSubscribers();
  expect(new Set(events.map((event) => (event.kind === "scope" ? event.category : "mark")))).toEqual(
    new Set(["guardrail", "mark"]),
  );
});

test("a tool that runs elsewhere: what is in front of it is asked, its arguments come back, and nothing says that it ran", async () => {
  const { relay, events } = new Driver();
  const seen: string[] = [];
  relay.registerToolConditionalExecutionGuardrail("no", ({ args }) => (args === "bad" ? "no" : null));
  relay.registerToolRequestIntercept("more", ({ args }) => `${args}, more`);
  relay.registerToolExecutionIntercept("around", async ({ args }, { next, signal }) => {
    seen.push(`before ${args}`);
    signal.addEventListener("abort", () => seen.push("given up"));
    const answer = await next(`${args}, and around`);
    seen.push("behind the tool");
    return answer;
  });
  using _held = relay.registerToolExecutionIntercept("in its place", ({ args }, { next }) =>
    args === "held, more, and around" ? { result: "mine" } : next(args),
  );
  expect(await relay.toolCallElsewhere("t", "good")).toBe("good, more, and around");
  expect(seen).toEqual(["before good, more", "given up"]);
  expect(isGuardrailRejected(await relay.toolCallElsewhere("t", "bad").catch((error) => error))).toBe(true);
  await expect(relay.toolCallElsewhere("t", "held")).rejects.toMatchObject({
    code: "answered_in_place",
    metadata: { by: "in its place" },
  });
  await relay.flushSubscribers();
  const categories = events.map((event) => (event.kind === "scope" ? event.category : "mark"));
  expect(new Set(categories)).toEqual(new Set(["guardrail", "mark"]));
});

const good: Measurement = { name: "tokens", kind: "counter", valueType: "u64", value: 3 };

test("a metric mark has its measurements in the words of its schema", async () => {
  const driver = new Driver();
  driver.relay.metric("usage", [
    { ...good, unit: "1", attributes: { model: "m", tags: ["a"] } },
    { name: "big", kind: "gauge", valueType: "i64", value: -(2n ** 62n), description: "d" },
    { name: "time", kind: "histogram", valueType: "f64", value: 0.5, boundaries: [1, 2] },
  ]);
  expect(await driver.find("usage", "mark")).toMatchObject({
    data_schema: metricSchema,
    data: {
      measurements: [
        {
          name: "tokens",
          kind: "counter",
          value_type: "u64",
          value: 3,
          unit: "1",
          attributes: { model: "m", tags: ["a"] },
        },
        { name: "big", value: "-4611686018427387904", description: "d" },
        { name: "time", boundaries: [1, 2] },
      ],
    },
  });
});

test.each<[string, object, string]>([
  ["no name", { name: "" }, "name"],
  ["a kind that isn't one", { kind: "sum" }, "kind"],
  ["a type that isn't one", { valueType: "u8" }, "value"],
  ["NaN", { valueType: "f64", value: Number.NaN }, "value"],
  ["below zero in u64", { kind: "gauge", value: -1 }, "value"],
  ["a counter that falls", { valueType: "i64", value: -1 }, "value"],
  ["2^64 in u64", { value: 2n ** 64n }, "value"],
  ["a nested attribute", { attributes: { a: { b: 1 } } }, "attributes.a"],
  ["boundaries of a counter", { boundaries: [1] }, "boundaries"],
  ["boundaries that fall", { kind: "histogram", boundaries: [2, 1] }, "boundaries"],
])("one wrong measurement and none is told: %s", async (_what, wrong, field) => {
  const driver = new Driver();
  const measure = () => driver.relay.metric("m", [good, { ...good, ...wrong }]);
  expect(thrownBy(measure)).toBe("relay.measurement_invalid");
  expect(measure).toThrow(`measurements[1].${field}`);
  expect(await driver.story()).toEqual([]);
});
