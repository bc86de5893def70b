/** Scopes: who is whose parent, whatever runs at once. */

import { once } from "node:events";
import { setImmediate as macrotask } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import {
  propagationContextFromJson,
  propagationContextToJson,
  propagationContextToTraceparent,
  type RelayEvent,
} from "@troupe/relay";
import { expect, test } from "vitest";
import { codeOf, Driver, thrownBy } from "./driver/driver.ts";

test("S5.6 (in part) two requests at once keep their own roots, through timers, promises, streams and callbacks", async () => {
  const driver = new Driver();
  const { relay } = driver;
  async function* chunks() {
    yield 1;
    await macrotask();
    relay.event(`${relay.getHandle().name} stream`);
    yield 2;
  }
  const request = (name: string) =>
    relay.withScope(name, "agent", async () => {
      await macrotask();
      relay.event(`${name} timer`);
      await Promise.all([Promise.resolve().then(() => relay.event(`${name} promise`)), macrotask()]);
      for await (const _ of chunks());
      await new Promise<void>((resolve) => queueMicrotask(() => resolve(relay.event(`${name} callback`))));
      await relay.toolCallExecute(`${name} tool`, {}, async () => {
        await macrotask();
        relay.event(`${name} in tool`);
        return { result: relay.getHandle().rootUuid };
      });
    });
  await Promise.all([request("a"), request("b")]);
  for (const name of ["a", "b"]) {
    const { uuid } = await driver.find(name, "start");
    for (const what of ["timer", "promise", "stream", "callback"])
      expect((await driver.find(`${name} ${what}`, "mark")).parent_uuid).toBe(uuid);
    const tool = await driver.find(`${name} tool`, "start");
    expect(tool.parent_uuid).toBe(uuid);
    expect((await driver.find(`${name} in tool`, "mark")).parent_uuid).toBe(tool.uuid);
    expect((await driver.find(`${name} tool`, "end")).data).toBe(uuid);
  }
  expect(relay.getHandle().name).toBe("root");
});

test("S5.6 (in part) guardrails, intercepts, next and the tool run in their scopes, and a throw restores what was current", async () => {
  const { relay } = new Driver();
  const seen: string[] = [];
  const see = (what: string) => void seen.push(`${what} in ${relay.getHandle().name}`);
  relay.registerToolConditionalExecutionGuardrail("guard", () => see("guard"));
  relay.registerToolRequestIntercept("request", ({ args }) => {
    see("request");
    return args;
  });
  relay.registerToolExecutionIntercept("around", async ({ args }, { next }) => {
    see("before");
    return await next(args).finally(() => see("after"));
  });
  await relay.withScope("outer", "agent", async () => {
    const call = relay.toolCallExecute("tool", {}, () => {
      see("tool");
      throw new Error("boom");
    });
    expect(await codeOf(call)).toBe("boom");
    see("rest");
    const inner = relay.pushScope("inner", "function");
    const throwing = () => {
      see("inner");
      throw new Error("thrown");
    };
    expect(thrownBy(() => relay.withScopeStack(inner, throwing))).toBe("thrown");
    see("restored");
  });
  expect(seen).toEqual([
    ...["guard in guard", "request in outer", "before in tool", "tool in tool", "after in tool"],
    ...["rest in outer", "inner in inner", "restored in outer"],
  ]);
});

test("S5.6 (in part) subscribers and sanitizers of events run outside of every scope, whoever emitted the event", async () => {
  const { relay } = new Driver();
  const scope = relay.pushScope("outer", "agent");
  await relay.flushSubscribers();
  const seen: string[] = [];
  relay.registerSubscriber("looks", () => void seen.push(relay.getHandle().name));
  relay.withScopeStack(scope, () => relay.event("straight to the queue"));
  await relay.flushSubscribers();
  relay.registerMarkSanitizeGuardrail("looks", ({ fields }) => {
    seen.push(relay.getHandle().name);
    return fields;
  });
  relay.withScopeStack(scope, () => relay.event("by way of the sanitizer"));
  await relay.flushSubscribers();
  expect(seen).toEqual(["root", "root", "root"]);
});

test("scopes end in any order, once, and a parent may go before its children", async () => {
  const driver = new Driver();
  const { relay } = driver;
  const parent = relay.pushScope("parent", "agent");
  const one = relay.pushScope("one", "tool", { parent });
  const two = relay.pushScope("two", "tool", { parent });
  relay.popScope(parent);
  relay.popScope(one, { output: 1 });
  relay.popScope(two, { metadata: { last: true } });
  expect(thrownBy(() => relay.popScope(one))).toBe("relay.scope_ended");
  expect(thrownBy(() => relay.popScope(relay.getHandle()))).toBe("relay.root_scope");
  expect(thrownBy(() => relay.popScope(new Driver().relay.pushScope("other", "agent")))).toBe(
    "relay.foreign_scope",
  );
  expect(thrownBy(() => relay.pushScope("mine", "custom"))).toBe("relay.subtype_missing");
  expect((await driver.story()).slice(3)).toEqual([
    "end agent parent null",
    "end tool one 1",
    "end tool two null",
  ]);
  expect((await driver.find("two", "end")).parent_uuid).toBe(parent.uuid);
});

test("an end is later than its start, and no two events have the same time", async () => {
  const driver = new Driver();
  for (let n = 0; n < 50; n++) await driver.relay.withScope("s", "agent", () => {});
  await driver.relay.flushSubscribers();
  const times = driver.events.map(({ timestamp }) => timestamp);
  expect(times).toEqual([...new Set(times)].sort());
});

test("S5.6 (in part) a scope goes to another process as JSON, and work there is below it", async () => {
  const here = new Driver();
  const there = new Driver();
  const context = await here.relay.withScope("outer", "agent", () =>
    here.relay.withScope("inner", "function", () => here.relay.capturePropagationContext()),
  );
  if (context === undefined) throw new Error("nothing captured");
  const restored = there.relay.createScopeFromPropagation(
    propagationContextFromJson(propagationContextToJson(context)),
  );
  await there.relay.withScopeStack(restored, () =>
    there.relay.toolCallExecute("t", {}, () => ({ result: 1 })),
  );
  expect((await there.find("t", "start")).parent_uuid).toBe((await here.find("inner", "start")).uuid);
  const trace = (await here.find("outer", "start")).uuid.replaceAll("-", "");
  expect(there.relay.captureTraceparent(restored)).toBe(propagationContextToTraceparent(context));
  expect(propagationContextToTraceparent(context).split("-")[1]).toBe(trace);
  expect(there.relay.capturePropagationContext()).toBeUndefined();
  there.relay.popScope(restored);
  expect(await there.story()).toEqual(["start tool t {}", "end tool t 1"]);
});

test("S5.6 (in part) a scope goes to a worker thread, and what is done there is below it, in its trace", async () => {
  const driver = new Driver();
  const { relay } = driver;
  await using worker = new Worker(new URL("./driver/worker.ts", import.meta.url), {
    execArgv: ["--conditions=troupe-source"],
  });
  const [events] = await relay.withScope("outer", "agent", async () => {
    const context = relay.capturePropagationContext();
    if (context === undefined) throw new Error("nothing captured");
    worker.postMessage(propagationContextToJson(context));
    return (await once(worker, "message")) as [RelayEvent[]];
  });
  const { uuid } = await driver.find("outer", "start");
  expect(events.map(({ name, parent_uuid }) => [name, parent_uuid])).toEqual([
    ["threaded", uuid],
    ["threaded", uuid],
  ]);
});

test("S5.6 (in part) a stack is a root of its own; overrides nest, and are restored after a throw and in other tasks", async () => {
  const driver = new Driver();
  const { relay } = driver;
  const names: string[] = [];
  const see = (): void => void names.push(relay.getHandle().name);
  await relay.withScope("request", "agent", async (request) => {
    const apart = relay.createScopeStack();
    const throwing = relay.withScopeStack(apart, async () => {
      relay.event("apart");
      relay.withScopeStack(request, see);
      await macrotask();
      see();
      await relay.withScope("inner", "function", see);
      throw new Error("thrown");
    });
    see();
    expect(await codeOf(throwing)).toBe("thrown");
    see();
  });
  expect(names).toEqual(["request", "request", "root", "inner", "request"]);
  expect((await driver.find("apart", "mark")).parent_uuid).toBeNull();
  const inner = await driver.find("inner", "start");
  expect(inner.parent_uuid).toBeNull();
});

test.each([
  ["not JSON", "{"],
  ["no object", "null"],
  ["another version", '{"version":2,"parent_uuid":"01a1fc5e-05b2-7e12-b850-cf21b651e4d6"}'],
  ["no parent", '{"version":1}'],
  [
    "a root that is no UUID",
    '{"version":1,"parent_uuid":"01a1fc5e-05b2-7e12-b850-cf21b651e4d6","root_uuid":"x"}',
  ],
  ["a parent that is nobody", '{"version":1,"parent_uuid":"00000000-0000-0000-0000-000000000000"}'],
  ["a parent without a span", '{"version":1,"parent_uuid":"01a1fc5e-05b2-7e12-0000-000000000000"}'],
  [
    "a root that is nobody",
    '{"version":1,"parent_uuid":"01a1fc5e-05b2-7e12-b850-cf21b651e4d6","root_uuid":"00000000-0000-0000-0000-000000000000"}',
  ],
])("a propagation context is refused: %s", (_what, text) => {
  expect(thrownBy(() => propagationContextFromJson(text))).toBe("relay.propagation_malformed");
});

test("a scope that was ended from inside its call has one end event: tool, model, stream, guardrail", async () => {
  const { relay, events } = new Driver();
  const pops = (thrown?: Error) => {
    relay.popScope(relay.getHandle());
    if (thrown !== undefined) throw thrown;
    return null;
  };
  const request = { headers: {}, content: {} };
  relay.registerToolConditionalExecutionGuardrail("guardrail", () => pops());
  relay.registerLlmConditionalExecutionGuardrail("guardrail", () => pops());
  await relay.toolCallExecute("tool", {}, () => ({ result: pops() }));
  await relay.toolCallExecute("tool", {}, () => pops(new Error("x")) ?? { result: 1 }).catch(() => {});
  await relay.llmCallExecute("model", request, () => pops());
  await relay.llmCallExecute("model", request, () => pops(new Error("x"))).catch(() => {});
  const stream = await relay.llmStreamCallExecute("model", request, async function* () {
    yield pops();
  });
  for await (const _ of stream);
  await relay.flushSubscribers();
  const ends = events.filter((event) => event.kind === "scope" && event.scope_category === "end");
  expect(ends.length).toBe(10);
  expect(new Set(ends.map(({ uuid }) => uuid)).size).toBe(10);
});

test("S5.6 (in part) two hosts keep what they want beside the current scope, each its own, and a value may bring its scope", async () => {
  const { relay } = new Driver();
  const brought = relay.pushScope("brought", "function");
  const one = relay.hostVariable<string>((value) => (value === "brings" ? { scope: brought } : undefined));
  const other = relay.hostVariable<number>(() => undefined);
  const seen = () => [one.get(), other.get(), relay.getHandle().name];
  expect(seen()).toEqual([undefined, undefined, "root"]);
  await one.run("brings", async () => {
    await macrotask();
    expect(seen()).toEqual(["brings", undefined, "brought"]);
    await other.run(2, async () => {
      await macrotask();
      expect(seen()).toEqual(["brings", 2, "brought"]);
      await relay.withScope("own", "agent", () =>
        one.run("stays", async () => {
          await macrotask();
          expect(seen()).toEqual(["stays", 2, "own"]);
        }),
      );
      expect(seen()).toEqual(["brings", 2, "brought"]);
    });
  });
  // A subscriber works for nobody, whoever has told it something.
  const heard: unknown[] = [];
  relay.registerSubscriber("hears", () => void heard.push(seen()));
  one.run("brings", () => other.run(3, () => relay.event("told")));
  await relay.flushSubscribers();
  expect(heard).toEqual([[undefined, undefined, "root"]]);
});

test("scopes may be nested deeper than functions can be", async () => {
  const driver = new Driver();
  const { relay } = driver;
  const top = relay.pushScope("top", "agent");
  let scope = top;
  for (let n = 0; n < 50_000; n++) scope = relay.pushScope("s", "function", { parent: scope, input: n });
  relay.event("deep", { parent: scope });
  expect(scope.rootUuid).toBe(top.uuid);
  expect(relay.captureTraceparent(scope)).toContain(top.uuid.replaceAll("-", ""));
  relay.registerMarkSanitizeGuardrail("same", ({ fields }) => fields, { scope });
  relay.withScopeStack(scope, () => relay.event("in it"));
  await relay.flushSubscribers();
});
