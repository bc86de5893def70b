/**
 * Traces recorded from nemo-relay-node 0.9.2, and what differs on purpose: the caller gets the tool's own error, and
 * events are in the order in which they were emitted.
 */
import { ScopeType } from "@troupe/relay";
import { expect, test } from "vitest";
import { codeOf, Driver } from "./driver/driver.ts";

/** One middleware of each kind around the tool `t`, all of which say when they run. */
function dressed() {
  const driver = new Driver();
  const log: string[] = [];
  const { relay } = driver;
  relay.registerToolConditionalExecutionGuardrail("cond", () => void log.push("cond"));
  relay.registerToolRequestIntercept("reqint", ({ args }) => {
    log.push("reqint");
    return { ...Object(args), ri: 1 };
  });
  relay.registerToolExecutionIntercept("exec", async ({ args }, { next }) => {
    log.push("exec before");
    const outcome = await next(args);
    log.push("exec after");
    return { ...outcome, annotation: { an: 1 }, pendingMarks: [{ name: "pm" }] };
  });
  relay.registerToolSanitizeRequestGuardrail("sanreq", () => {
    log.push("sanreq");
    return { redacted: true };
  });
  relay.registerToolSanitizeResponseGuardrail("sanres", () => {
    log.push("sanres");
    return { redacted: true };
  });
  relay.registerEventMetadataInjector("inject", (event) => {
    log.push(`inject ${event.name}`);
    return { injected: true };
  });
  relay.registerScopeSanitizeStartGuardrail("scopestart", ({ event, fields }) => {
    log.push(`scopestart ${event.name}`);
    return fields;
  });
  relay.registerScopeSanitizeEndGuardrail("scopeend", ({ event, fields }) => {
    log.push(`scopeend ${event.name}`);
    return fields;
  });
  const call = () =>
    relay.toolCallExecute("t", { a: 1 }, (args) => {
      log.push(`tool ${JSON.stringify(args)}`);
      return { result: { ok: 1 } };
    });
  return { driver, log, call };
}

test("a tool call with one middleware of each kind runs them in the recorded order", async () => {
  const { driver, log, call } = dressed();
  expect(await call()).toEqual({ result: { ok: 1 }, annotation: { an: 1 } });
  expect(log).toEqual(["cond", "reqint", "exec before", 'tool {"a":1,"ri":1}', "exec after"]);
  log.length = 0;
  expect(await driver.story()).toEqual([
    'start guardrail cond {"kind":"tool_conditional_execution","target_name":"t"}',
    'end guardrail cond {"allowed":true,"rejected":false}',
    'start tool t {"redacted":true}',
    'end tool t {"redacted":true}',
    "mark pm null",
  ]);
  expect(log).toEqual([
    ...["inject cond", "scopestart cond", "inject cond", "scopeend cond"],
    ...["sanreq", "inject t", "scopestart t", "sanres", "inject t", "scopeend t", "inject pm"],
  ]);
});

test("a throwing tool has an end event with the error, and its caller gets that very error", async () => {
  const driver = new Driver();
  const boom = new TypeError("boom");
  const call = driver.relay.toolCallExecute("t", { a: 1 }, () => {
    throw boom;
  });
  await expect(call).rejects.toBe(boom);
  expect(await driver.story()).toEqual(['start tool t {"a":1}', "end tool t null"]);
  expect((await driver.find("t", "end")).metadata).toEqual({
    "error.type": "internal_error",
    "exception.type": "TypeError",
    "otel.status_code": "ERROR",
    "otel.status_description": "boom",
  });
});

test("a blocked tool has a mark and no scope", async () => {
  const driver = new Driver();
  driver.relay.registerToolConditionalExecutionGuardrail("cond", () => "nope");
  expect(await codeOf(driver.relay.toolCallExecute("blk", {}, () => ({ result: 1 })))).toBe(
    "relay.guardrail_rejected",
  );
  expect(await driver.story()).toEqual([
    'start guardrail cond {"kind":"tool_conditional_execution","target_name":"blk"}',
    'end guardrail cond {"allowed":false,"rejected":true,"rejection_reason":"nope"}',
    'mark blk {"rejected":true,"rejection_reason":"nope"}',
  ]);
});

test("events have ATOF's fields and no others, as recorded", async () => {
  const driver = new Driver();
  const { relay } = driver;
  await relay.withScope(
    "outer",
    ScopeType.Agent,
    async () => {
      relay.event("m", { data: { x: 1 } });
      await relay.toolCallExecute("t", { a: 1 }, (args) => ({ result: args }));
    },
    { attributes: ["parallel"], metadata: { k: "v" }, input: { in: 1 } },
  );
  const outer = await driver.find("outer", "start");
  const timestamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  const uuid = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const envelope = { atof_version: "0.1", timestamp, uuid, data_schema: null };
  const scope = { ...envelope, kind: "scope" };
  const below = outer.uuid;
  expect(driver.events).toStrictEqual([
    {
      ...scope,
      ...{ attributes: ["parallel"], category: "agent", category_profile: null, data: { in: 1 } },
      ...{ metadata: { k: "v" }, name: "outer", parent_uuid: null, scope_category: "start" },
    },
    {
      ...envelope,
      ...{ category: null, category_profile: null, data: { x: 1 }, kind: "mark", metadata: null },
      ...{ name: "m", parent_uuid: below },
    },
    {
      ...scope,
      ...{ attributes: [], category: "tool", category_profile: {}, data: { a: 1 }, metadata: null },
      ...{ name: "t", parent_uuid: below, scope_category: "start" },
    },
    {
      ...scope,
      ...{ attributes: [], category: "tool", category_profile: {}, data: { a: 1 } },
      ...{ metadata: { "otel.status_code": "OK" }, name: "t", parent_uuid: below, scope_category: "end" },
    },
    {
      ...scope,
      ...{ attributes: ["parallel"], category: "agent", category_profile: null, data: null },
      ...{
        metadata: { k: "v", "otel.status_code": "OK" },
        name: "outer",
        parent_uuid: null,
        scope_category: "end",
      },
    },
  ]);
});

test("a model gets a traceparent, and no event has a secret header", async () => {
  const driver = new Driver();
  const request = {
    headers: { authorization: "Bearer s3cret", "X-Api-Key": "s3cret", a: "b" },
    content: { m: 1 },
  };
  let sent: unknown;
  const answer = await driver.relay.llmCallExecute(
    "l",
    request,
    (real) => {
      sent = real;
      return { ok: 1 };
    },
    { modelName: "gpt" },
  );
  const start = await driver.find("l", "start");
  const trace = start.uuid.replaceAll("-", "");
  expect(sent).toEqual({
    headers: { ...request.headers, traceparent: `00-${trace}-${trace.slice(16)}-01` },
    content: { m: 1 },
  });
  expect([answer, start.category_profile]).toEqual([{ ok: 1 }, { model_name: "gpt" }]);
  expect(await driver.story()).toEqual([
    'start llm l {"headers":{"a":"b"},"content":{"m":1}}',
    'end llm l {"ok":1}',
  ]);
  expect(JSON.stringify(driver.events)).not.toContain("s3cret");
});
