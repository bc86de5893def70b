/** In which order middleware runs, and which middleware a call has. */
import { middlewareKindNames, middlewareKindOf, middlewareKinds, type Registration } from "@troupe/relay";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Driver, thrownBy } from "./driver/driver.ts";

/** What one registration says: where it is (0 global, 1 outer, 2 inner) and its priority. */
const said = fc.record({ place: fc.integer({ min: 0, max: 2 }), priority: fc.integer({ min: -2, max: 2 }) });

test("priority ascending, then global, outer and inner, then as registered: for pipes, for chains around, for events", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(said, { maxLength: 12 }), async (registrations) => {
      const { relay, events } = new Driver();
      const outer = relay.pushScope("outer", "agent");
      const inner = relay.pushScope("inner", "agent", { parent: outer });
      const places = [{}, { scope: outer }, { scope: inner }];
      for (const [n, { place, priority }] of registrations.entries()) {
        const options = { priority, ...places[place] };
        relay.registerToolRequestIntercept(`${n}`, ({ args }) => [...Object(args), n], options);
        relay.registerToolExecutionIntercept(
          `${n}`,
          ({ args }, { next }) => next([...Object(args), n]),
          options,
        );
        relay.registerScopeSanitizeEndGuardrail(
          `${n}`,
          ({ fields }) => ({ ...fields, data: [...Object(fields.data), n] }),
          options,
        );
      }
      const expected = registrations
        .map(({ place, priority }, n) => ({ place, priority, n }))
        .sort((a, b) => a.priority - b.priority || a.place - b.place || a.n - b.n)
        .map(({ n }) => n);
      const { result } = await relay.toolCallExecute("t", [], (args) => ({ result: args }), {
        parent: inner,
      });
      expect(result).toEqual([...expected, ...expected]);
      await relay.flushSubscribers();
      const end = events.find((event) => event.kind === "scope" && event.scope_category === "end");
      expect(end?.data).toEqual([...expected, ...expected, ...expected]);
    }),
    { numRuns: 60 },
  );
});

test("any sequence of registering and deregistering leaves exactly what was not taken back", async () => {
  const step = fc.record({
    name: fc.constantFrom("a", "b", "c", "d"),
    add: fc.boolean(),
    priority: fc.integer(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const { relay } = new Driver({ listening: false });
      const model = new Map<string, Registration>();
      for (const { name, add, priority } of steps) {
        const known = model.get(name);
        const register = () => relay.registerToolRequestIntercept(name, ({ args }) => args, { priority });
        if (add && known !== undefined) expect(thrownBy(register)).toBe("relay.name_taken");
        else if (add) model.set(name, register());
        else if (known !== undefined) {
          expect([known.deregister(), known.deregister()]).toEqual([true, false]);
          model.delete(name);
        }
      }
      expect(
        relay
          .listRuntimeRegistrations()
          .map(({ name }) => name)
          .sort(),
      ).toEqual([...model.keys()].sort());
    }),
  );
});

test("a call keeps the middleware that it began with; the next one has the new", async () => {
  const driver = new Driver();
  const { relay } = driver;
  const log: string[] = [];
  const last = relay.registerToolExecutionIntercept("last", ({ args }, { next }) => {
    log.push("last");
    return next(args);
  });
  const swap = relay.registerToolConditionalExecutionGuardrail("swap", () => {
    last.deregister();
    swap.deregister();
    relay.registerToolExecutionIntercept("new", ({ args }, { next }) => {
      log.push("new");
      return next(args);
    });
  });
  const call = () => relay.toolCallExecute("t", {}, () => ({ result: 1 }));
  await call();
  expect(log).toEqual(["last"]);
  await call();
  expect(log).toEqual(["last", "new"]);
});

test("breakChain ends the chain of request intercepts behind it, and only that of request intercepts", async () => {
  const { relay } = new Driver();
  const add = (n: number) => (payload: { args: unknown }) => [...Object(payload.args), n];
  relay.registerToolRequestIntercept("one", add(1), { priority: 1 });
  relay.registerToolRequestIntercept("two", add(2), { priority: 2, breakChain: true });
  relay.registerToolRequestIntercept("three", add(3), { priority: 3 });
  const { result } = await relay.toolCallExecute("t", [], (args) => ({ result: args }));
  expect(result).toEqual([1, 2]);
  expect(thrownBy(() => relay.registerSubscriber("s", () => {}, { breakChain: true }))).toBe(
    "relay.option_invalid",
  );
});

test("what is registered in a scope is seen below it alone, and is gone when the scope ends", async () => {
  const { relay } = new Driver({ listening: false });
  const heard: string[] = [];
  const scope = relay.pushScope("mine", "agent");
  const other = relay.pushScope("other", "agent");
  const local = relay.registerSubscriber("local", (event) => void heard.push(event.name), { scope });
  const below = relay.pushScope("below", "function", { parent: scope });
  relay.event("in", { parent: below });
  relay.event("out", { parent: other });
  relay.event("root");
  await relay.flushSubscribers();
  relay.popScope(below);
  relay.popScope(scope);
  relay.event("late", { parent: below });
  expect([local.deregister(), relay.listRuntimeRegistrations()]).toEqual([false, []]);
  await relay.withScope("later", "agent", () => relay.flushSubscribers());
  expect(heard).toEqual(["below", "in", "below", "mine"]);
  expect(thrownBy(() => relay.registerSubscriber("s", () => {}, { scope }))).toBe("relay.scope_ended");
});

test("the table gives every kind a number of its own and a function to register it, and both lead back", () => {
  const { relay } = new Driver();
  const numbers = middlewareKindNames.map((kind) => middlewareKinds[kind].wire);
  expect(new Set(numbers).size).toBe(middlewareKindNames.length);
  expect(numbers.map(middlewareKindOf)).toEqual(middlewareKindNames);
  expect(middlewareKindOf(0)).toBeUndefined();
  const functions = Object.keys(relay).filter((name) => name.startsWith("register"));
  expect(functions).toHaveLength(middlewareKindNames.length);
  expect(Object.fromEntries(middlewareKindNames.map((kind) => [kind, middlewareKinds[kind].wire]))).toEqual({
    subscriber: 1,
    event_metadata_injector: 2,
    conditional_middleware_guardrail: 3,
    tool_sanitize_request_guardrail: 10,
    tool_sanitize_response_guardrail: 11,
    tool_conditional_execution_guardrail: 12,
    tool_request_intercept: 13,
    tool_execution_intercept: 14,
    llm_sanitize_request_guardrail: 20,
    llm_sanitize_response_guardrail: 21,
    llm_conditional_execution_guardrail: 22,
    llm_request_intercept: 23,
    llm_execution_intercept: 24,
    llm_stream_execution_intercept: 25,
    mark_sanitize_guardrail: 30,
    scope_sanitize_start_guardrail: 31,
    scope_sanitize_end_guardrail: 32,
    action_conditional_execution_guardrail: 40,
  });
});
