/** Managed calls: what middleware may do to them, and what its failures do. */

import { fromWireError, toWireError } from "@troupe/protocol";
import { isGuardrailRejected, type LlmRequest } from "@troupe/relay";
import { expect, test } from "vitest";
import { codeOf, Driver } from "./driver/driver.ts";

const one = () => ({ result: 1 });
const request: LlmRequest = { headers: {}, content: {} };

test("S5.9 (in part) a rejection keeps its type, guardrail and reason over JSON and back, and through nested calls", async () => {
  const { relay } = new Driver();
  relay.registerToolConditionalExecutionGuardrail("budget", ({ toolName }) =>
    toolName === "inner" ? "spent" : null,
  );
  const call = relay.toolCallExecute("outer", {}, () => relay.toolCallExecute("inner", {}, one));
  const error = await call.catch((thrown: unknown) => thrown);
  const far = fromWireError(JSON.parse(JSON.stringify(toWireError(error, false))));
  for (const found of [error, far]) {
    expect(isGuardrailRejected(found)).toBe(true);
    expect(found).toMatchObject({ code: "guardrail_rejected", metadata: { by: "budget", reason: "spent" } });
  }
});

test("a guardrail that runs elsewhere: plain data over a wire, answered later, told when the caller gives up", async () => {
  const { relay } = new Driver();
  const wire: { sent: string; answer: (verdict: string | null) => void; signal: AbortSignal }[] = [];
  relay.register({
    kind: "tool_conditional_execution_guardrail",
    name: "foreign",
    priority: 5,
    handle: (payload, { signal }) =>
      new Promise((answer) => wire.push({ sent: JSON.stringify(payload), answer, signal })),
  });
  const refused = codeOf(relay.toolCallExecute("t", { a: 1 }, one));
  expect(wire[0]?.sent).toBe('{"toolName":"t","args":{"a":1}}');
  wire[0]?.answer("not today");
  expect(await refused).toBe("relay.guardrail_rejected");
  const caller = new AbortController();
  const abandoned = codeOf(relay.toolCallExecute("t", {}, one, { signal: caller.signal }));
  expect(wire[1]?.signal.aborted).toBe(false);
  caller.abort();
  expect([await abandoned, wire[1]?.signal.aborted]).toEqual(["relay.aborted", true]);
});

test("a guardrail that hangs past its deadline refuses the call, and hears of it", async () => {
  const driver = new Driver();
  let signal: AbortSignal | undefined;
  driver.relay.registerLlmConditionalExecutionGuardrail("slow", (_payload, context) => {
    signal = context.signal;
    return new Promise(() => {});
  });
  const call = driver.relay.llmCallExecute("l", request, () => 1).catch((error: unknown) => error);
  expect(driver.deadlines).toBe(1);
  driver.deadlinesPass();
  expect(await call).toMatchObject({
    code: "middleware_failed",
    metadata: { by: "slow" },
    cause: { code: "deadline_exceeded" },
  });
  expect([signal?.aborted, driver.deadlines]).toEqual([true, 0]);
});

test("what answers at once needs no deadline", async () => {
  const driver = new Driver();
  driver.relay.registerToolConditionalExecutionGuardrail("quick", () => null);
  await driver.relay.toolCallExecute("t", {}, () => {
    expect(driver.deadlines).toBe(0);
    return one();
  });
});

test.each([
  ["a guardrail that throws", "registerToolConditionalExecutionGuardrail"],
  ["a request intercept that throws", "registerToolRequestIntercept"],
] as const)("fail closed: %s stops the call", async (_what, register) => {
  const { relay } = new Driver();
  let ran = false;
  relay[register]("bad", () => {
    throw new Error("broken");
  });
  const call = relay.toolCallExecute("t", {}, () => {
    ran = true;
    return one();
  });
  expect([await codeOf(call), ran]).toEqual(["relay.middleware_failed", false]);
});

test.each([
  ["tool", "registerToolRequestIntercept", "tool_request_intercept"],
  ["tool", "registerToolConditionalExecutionGuardrail", "tool_conditional_execution_guardrail"],
  ["llm", "registerLlmRequestIntercept", "llm_request_intercept"],
] as const)(
  "a middleware of a %s's call that fails leaves a mark with its reason, and one line of the log",
  async (category, register, kind) => {
    const { relay, events, warnings } = new Driver();
    relay[register]("bad", () => {
      throw new Error("no rules: api_key=sk-proj-aB3aB3aB3aB3aB3aB3aB3aB3aB3");
    });
    for (const _twice of [1, 2])
      await (category === "tool"
        ? relay.toolCallExecute("t", {}, one)
        : relay.llmCallExecute("l", request, () => 1)
      ).catch(() => {});
    await relay.flushSubscribers();
    const marks = events.filter((event) => event.kind === "mark");
    const told = `The ${kind} "bad" failed: no rules: api_key=[REDACTED]`;
    const mark = {
      category,
      data: { allowed: false, rejected: false },
      metadata: { "error.type": "relay.middleware_failed", "otel.status_description": told },
    };
    expect(marks).toMatchObject([mark, mark]);
    expect(warnings).toEqual([`The ${kind} "bad" failed; more of it isn't logged`]);
  },
);

test("answers of the wrong shape are typed errors that say whose they are", async () => {
  const none = () => JSON.parse("null") as never;
  const { relay } = new Driver();
  expect(await codeOf(relay.toolCallExecute("t", {}, none))).toBe("relay.bad_answer");
  const request1 = relay.registerToolRequestIntercept("nothing", () => undefined);
  expect(await codeOf(relay.toolCallExecute("t", {}, one))).toBe("relay.middleware_failed");
  request1.deregister();
  const around = relay.registerToolExecutionIntercept("nothing", none);
  expect(await codeOf(relay.toolCallExecute("t", {}, one))).toBe("relay.middleware_failed");
  around.deregister();
  relay.registerLlmRequestIntercept("nothing", none);
  expect(await codeOf(relay.llmCallExecute("l", request, () => 1))).toBe("relay.middleware_failed");
  expect(await codeOf(relay.llmCallExecute("l", none(), () => 1))).toBe("relay.bad_answer");
});

test("next runs the rest as often as it is called, also at once, and never after the answer", async () => {
  const { relay } = new Driver();
  let late: (() => Promise<unknown>) | undefined;
  relay.registerToolExecutionIntercept("twice", async (_payload, { next }) => {
    late = () => next(9);
    const answers = await Promise.all([next(1), next(2)]);
    return { result: answers.map(({ result }) => result) };
  });
  const { result } = await relay.toolCallExecute("t", 0, async (args) => ({ result: args }));
  expect(result).toEqual([1, 2]);
  expect(await codeOf(late?.() ?? Promise.resolve())).toBe("relay.next_revoked");
});

test("an intercept that doesn't wait for next gives up what runs there", async () => {
  const { relay } = new Driver();
  const left: string[] = [];
  relay.registerToolExecutionIntercept("first", ({ args }, { next }) => {
    next(args).catch((error: { code: string }) => left.push(error.code));
    void next(args);
    return { result: "cached" };
  });
  relay.registerToolExecutionIntercept("second", ({ args }, { next }) => next(args));
  const call = relay.toolCallExecute("t", {}, (_args, { signal }) => {
    signal.addEventListener("abort", () => left.push("told"));
    return new Promise(() => {});
  });
  expect(await call).toEqual({ result: "cached" });
  await relay.flushSubscribers();
  expect(left.sort()).toEqual(["next_revoked", "told", "told"]);
});

test("a caller that gives up ends the call with an error event, and the tool is told", async () => {
  const driver = new Driver();
  const caller = new AbortController();
  let told = false;
  const call = driver.relay.toolCallExecute(
    "t",
    {},
    (_args, { signal }) => {
      signal.addEventListener("abort", () => {
        told = true;
      });
      caller.abort(new Error("enough"));
      return new Promise(() => {});
    },
    { signal: caller.signal },
  );
  expect([await codeOf(call), told]).toEqual(["relay.aborted", true]);
  expect((await driver.find("t", "end")).metadata).toMatchObject({ "error.type": "relay.aborted" });
  expect(await codeOf(driver.relay.toolCallExecute("t", {}, one, { signal: caller.signal }))).toBe(
    "relay.aborted",
  );
});

test("marks that intercepts ask for come behind their event, the innermost first, and not when the call fails", async () => {
  const driver = new Driver();
  const { relay } = driver;
  for (const name of ["outer", "inner"])
    relay.registerToolExecutionIntercept(name, async ({ args }, { next }) => ({
      ...(await next(args)),
      pendingMarks: [{ name, severity: "warn" }],
    }));
  relay.registerLlmRequestIntercept("r", (payload) => ({
    request: payload.request,
    pendingMarks: [{ name: "asked" }],
  }));
  await relay.toolCallExecute("t", {}, one);
  await codeOf(relay.toolCallExecute("t", {}, () => Promise.reject(new Error("boom"))));
  await relay.llmCallExecute("l", request, () => "hi");
  const story = await driver.story();
  expect(story.slice(1, 4)).toEqual(["end tool t 1", "mark inner null", "mark outer null"]);
  expect(story.slice(4, 6)).toEqual(["start tool t {}", "end tool t null"]);
  expect(story.slice(7)).toEqual(["mark asked null", 'end llm l "hi"']);
  const { uuid } = await driver.find("t", "end");
  expect(await driver.find("inner", "mark")).toMatchObject({
    parent_uuid: uuid,
    metadata: { "nemo_relay.log.severity": "warn" },
  });
});

test("model calls have the kinds of tool calls: rejected, rewritten, gone around", async () => {
  const driver = new Driver();
  const { relay } = driver;
  relay.registerLlmRequestIntercept("model", ({ request: given }) => ({
    request: { ...given, content: { n: 2 } },
  }));
  relay.registerLlmExecutionIntercept("around", async ({ request: given }, { next }) => [await next(given)]);
  relay.registerLlmSanitizeRequestGuardrail("hide", () => "hidden");
  relay.registerLlmSanitizeResponseGuardrail("hide", () => "hidden");
  expect(await relay.llmCallExecute("l", request, ({ content }) => content)).toEqual([{ n: 2 }]);
  expect(await driver.story()).toEqual(['start llm l "hidden"', 'end llm l "hidden"']);
  relay.registerLlmConditionalExecutionGuardrail("no", () => "no");
  expect(await codeOf(relay.llmCallExecute("l", request, () => 1))).toBe("relay.guardrail_rejected");
});

test("requestInEvents: events have the headers alone, and the provider the whole request", async () => {
  const driver = new Driver();
  const given: LlmRequest = { headers: { "x-tenant": "a" }, content: { long: "text" } };
  const fn = (real: LlmRequest): unknown => real.content;
  expect(await driver.relay.llmCallExecute("m", given, fn, { requestInEvents: "headers" })).toEqual({
    long: "text",
  });
  expect((await driver.find("m", "start")).data).toEqual({ headers: { "x-tenant": "a" }, content: null });
});

test("headers may be given as Headers, a map or pairs: the provider gets them all, events none that are secret", async () => {
  const pairs: [string, string][] = [
    ["x-tenant", "a"],
    ["authorization", "s3cret"],
  ];
  for (const headers of [new Headers(pairs), new Map(pairs), pairs]) {
    const driver = new Driver();
    const request: LlmRequest = { headers: Object(headers), content: {} };
    const sent = await driver.relay.llmCallExecute("m", request, (real) => real.headers);
    expect(sent).toMatchObject({ "x-tenant": "a", authorization: "s3cret" });
    expect((await driver.find("m", "start")).data).toEqual({ headers: { "x-tenant": "a" }, content: {} });
  }
  const { relay } = new Driver();
  const odd: LlmRequest = { headers: Object(["x-tenant"]), content: {} };
  expect(await codeOf(relay.llmCallExecute("m", odd, () => 1))).toBe("relay.bad_answer");
});

test("what is changed while a guardrail takes its time doesn't run: arguments and requests", async () => {
  const { relay } = new Driver();
  const asked: PromiseWithResolvers<null> = Promise.withResolvers();
  const command = { name: "ls", flags: ["-l"] };
  const headers: Record<string, string> = {};
  relay.registerToolConditionalExecutionGuardrail("thinks", () => asked.promise);
  relay.registerLlmConditionalExecutionGuardrail("thinks", () => asked.promise);
  const ran: string[] = [];
  const tool = relay.toolCallExecute("shell", command, () => ({ result: ran.push("tool") }));
  const same = relay.toolCallExecute("shell", { ...command, flags: [] }, () => ({
    result: ran.push("same"),
  }));
  const model = relay.llmCallExecute("m", { headers, content: command }, () => ran.push("model"));
  command.flags.push("-a");
  asked.resolve(null);
  expect([await codeOf(tool), await codeOf(model)]).toEqual([
    "relay.changed_meanwhile",
    "relay.changed_meanwhile",
  ]);
  await same;
  expect(ran).toEqual(["same"]);
});
