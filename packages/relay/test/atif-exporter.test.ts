/** Sessions as ATIF trajectories, checked against the format's JSON schema. */
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codecNamed, type Relay } from "@troupe/relay";
import { AtifExporter, atifSchema, createRelay } from "@troupe/relay/node";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";

const check = new Ajv2020({ strict: false }).compile(atifSchema);

function expectValid(trajectory: unknown): void {
  check(trajectory);
  expect(check.errors).toBeNull();
}

function exporterOf(relay: Relay): AtifExporter {
  const exporter = new AtifExporter({
    sessionId: "session-1",
    agentName: "helper",
    agentVersion: "1.0",
    modelName: "m",
  });
  exporter.register(relay, "atif");
  return exporter;
}

const call = { id: "c1", type: "function", function: { name: "add", arguments: '{"a":1}' } };
const user = { role: "user", content: "what is 1 + 1?" };
const asks = { role: "assistant", content: "let me see", tool_calls: [call] };

function answer(message: object, finish_reason: string, usage: object) {
  return {
    id: "i",
    model: "m",
    object: "chat.completion",
    choices: [{ index: 0, message, finish_reason }],
    usage,
  };
}

/** A user asks, the model calls a tool, the tool answers, the model answers; a mark in between. */
async function conversation(
  relay: Relay,
  options: object = { codec: codecNamed("openai_chat") },
): Promise<void> {
  const model = (messages: readonly object[], response: object) =>
    relay.llmCallExecute(
      "openai",
      { headers: {}, content: { model: "m", messages } },
      () => response,
      options,
    );
  await relay.withScope("agent", "agent", async () => {
    await model(
      [{ role: "system", content: "be" }, user],
      answer(asks, "tool_calls", { prompt_tokens: 10, completion_tokens: 3, total_tokens: 13 }),
    );
    relay.event("decided", { data: { x: 1 } });
    await relay.toolCallExecute("add", { a: 1 }, () => ({ result: { sum: 2 } }), { toolCallId: "c1" });
    await model(
      [{ role: "system", content: "be" }, user, asks, { role: "tool", tool_call_id: "c1", content: "2" }],
      answer({ role: "assistant", content: "2" }, "stop", {
        prompt_tokens: 20,
        completion_tokens: 3,
        total_tokens: 23,
        prompt_tokens_details: { cached_tokens: 8 },
      }),
    );
  });
}

test.each([
  ["with a codec", { codec: codecNamed("openai_chat") }],
  ["by what the payload looks like", {}],
] as const)(
  "a conversation is steps of user and agent, with what the tool answered: %s",
  async (_how, options) => {
    const relay = createRelay();
    const exporter = exporterOf(relay);
    await conversation(relay, options);
    await exporter.forceFlush();
    const trajectory = exporter.trajectory();
    expectValid(JSON.parse(exporter.exportJson()));
    expect(trajectory).toMatchObject({
      schema_version: "ATIF-v1.7",
      session_id: "session-1",
      agent: { name: "helper", version: "1.0", model_name: "m" },
      steps: [
        { step_id: 1, source: "user", message: "what is 1 + 1?" },
        {
          step_id: 2,
          source: "agent",
          message: "let me see",
          model_name: "m",
          tool_calls: [{ tool_call_id: "c1", function_name: "add", arguments: { a: 1 } }],
          observation: {
            results: [{ source_call_id: "c1", content: '{"sum":2}', extra: { tool_result: { sum: 2 } } }],
          },
          metrics: { prompt_tokens: 10, completion_tokens: 3 },
          llm_call_count: 1,
        },
        { step_id: 3, source: "agent", message: "2", metrics: { prompt_tokens: 20, cached_tokens: 8 } },
      ],
      final_metrics: {
        total_prompt_tokens: 30,
        total_completion_tokens: 6,
        total_cached_tokens: 8,
        total_steps: 3,
      },
    });
    expect(trajectory.extra?.marks).toMatchObject([{ name: "decided", step_id: 2, data: { x: 1 } }]);
    await exporter.shutdown();
  },
);

test("a tool that nobody asked for, one that fails, and a model that fails, are in it", async () => {
  const relay = createRelay();
  const exporter = exporterOf(relay);
  const failing = (): never => {
    throw new Error("broken");
  };
  await relay.toolCallExecute("first", [1], () => ({ result: "text" }));
  await relay.toolCallExecute("second", {}, failing).catch(() => {});
  await relay.llmCallExecute("m", { headers: {}, content: { messages: [user] } }, failing).catch(() => {});
  await exporter.forceFlush();
  const trajectory = exporter.trajectory();
  expectValid(JSON.parse(exporter.exportJson()));
  expect(trajectory.steps.map(({ source, llm_call_count: calls }) => [source, calls])).toEqual([
    ["agent", 0],
    ["user", undefined],
    ["agent", 1],
  ]);
  expect(trajectory.steps[0]?.observation?.results.map(({ content }) => content)).toEqual(["text", "broken"]);
  expect(trajectory.steps[2]?.extra).toMatchObject({ invocation: { status: "error" } });
  await exporter.shutdown();
});

test("what a user says again is a step of its own; what was there before isn't said again", async () => {
  const relay = createRelay();
  const exporter = exporterOf(relay);
  const ask = (...texts: string[]) => {
    const messages = texts.map((content) => ({ role: "user", content }));
    return relay.llmCallExecute("m", { headers: {}, content: { messages } }, () => "ok");
  };
  await ask("one");
  await ask("one", "two");
  await ask("three");
  await exporter.forceFlush();
  const said = exporter.trajectory().steps.filter(({ source }) => source === "user");
  expect(said.map(({ message }) => message)).toEqual(["one", "two", "three"]);
  exporter.clear();
  expect(exporter.trajectory().steps).toEqual([]);
  await exporter.shutdown();
});

test("a trajectory goes to a file", async () => {
  const folder = mkdtempSync(join(tmpdir(), "troupe-atif-"));
  try {
    const relay = createRelay();
    await using exporter = exporterOf(relay);
    await conversation(relay);
    const path = join(folder, "deep", "session.json");
    await exporter.exportTo(path);
    // For its owner alone.
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expectValid(JSON.parse(readFileSync(path, "utf8")));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the schema refuses what isn't a trajectory", () => {
  const step = { step_id: 1, source: "user", message: "x" };
  const whole = {
    schema_version: "ATIF-v1.7",
    session_id: "s",
    agent: { name: "a", version: "1" },
    steps: [step],
  };
  expect(check(whole)).toBe(true);
  const wrong = [
    { ...whole, schema_version: "ATIF-v1.6" },
    { ...whole, steps: [{ ...step, step_id: 0 }] },
    { ...whole, steps: [{ ...step, tool_calls: [] }] },
    { ...whole, steps: [{ ...step, unknown: 1 }] },
    { ...whole, agent: { name: "a" } },
  ];
  expect(wrong.map((one) => check(one))).toEqual(wrong.map(() => false));
});

test("arguments that aren't by name, and counts that are none, don't make a trajectory that a reader refuses", async () => {
  const relay = createRelay();
  await using exporter = exporterOf(relay);
  const odd = { ...call, function: { name: "add", arguments: "{not json" } };
  const response = answer({ ...asks, tool_calls: [odd] }, "tool_calls", {
    prompt_tokens: 1.5,
    completion_tokens: -2,
  });
  const options = { codec: codecNamed("openai_chat") };
  await relay.llmCallExecute(
    "openai",
    { headers: {}, content: { model: "m", messages: [user] } },
    () => response,
    options,
  );
  await relay.toolCallExecute("alone", "a text", () => ({ result: 1 }));
  await exporter.forceFlush();
  const trajectory = exporter.trajectory();
  expectValid(trajectory);
  expect(trajectory.steps.flatMap((step) => step.tool_calls?.map((one) => one.arguments) ?? [])).toEqual([
    { value: "{not json" },
    { value: "a text" },
  ]);
  expect(trajectory.final_metrics).toMatchObject({ total_prompt_tokens: 0, total_completion_tokens: 0 });
});
