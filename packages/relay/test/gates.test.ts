/** Gates: what runs this time, and what doesn't. */
import { expect, test } from "vitest";
import { codeOf, Driver, thrownBy } from "./driver/driver.ts";

const one = () => ({ result: 1 });
const about = { kinds: ["tool_conditional_execution_guardrail"], name: "guard" } as const;

test("a gate leaves a registration out of the calls that it is asked about, once each, in the gates' order", async () => {
  const { relay } = new Driver();
  const asked: string[] = [];
  let open = false;
  relay.registerToolConditionalExecutionGuardrail("guard", () => "no");
  relay.registerToolConditionalExecutionGuardrail("other", () => void asked.push("other"));
  relay.registerConditionalMiddlewareGuardrail(
    "second",
    (registration) => {
      asked.push(`second ${JSON.stringify(registration)}`);
      return open ? null : "not today";
    },
    { about, priority: 2 },
  );
  relay.registerConditionalMiddlewareGuardrail("first", () => void asked.push("first"), { about });
  await relay.toolCallExecute("t", {}, one);
  const said = 'second {"kind":"tool_conditional_execution_guardrail","name":"guard"}';
  expect(asked).toEqual(["first", said, "other"]);
  open = true;
  expect(await codeOf(relay.toolCallExecute("t", {}, one))).toBe("relay.guardrail_rejected");
  relay.deregisterConditionalMiddlewareGuardrail("second");
  relay.deregisterConditionalMiddlewareGuardrail("first");
  expect(await codeOf(relay.toolCallExecute("t", {}, one))).toBe("relay.guardrail_rejected");
});

test("gates decide about subscribers and what is local to a scope as well", async () => {
  const driver = new Driver();
  const { relay } = driver;
  const heard: string[] = [];
  const scope = relay.pushScope("s", "agent");
  relay.registerSubscriber("local", ({ name }) => void heard.push(name), { scope });
  relay.registerConditionalMiddlewareGuardrail("quiet", () => (quiet ? "hush" : null), {
    about: { kinds: ["subscriber"], name: "local" },
  });
  let quiet = false;
  relay.event("one", { parent: scope });
  quiet = true;
  relay.event("two", { parent: scope });
  await relay.flushSubscribers();
  expect([heard, driver.events.map(({ name }) => name)]).toEqual([["one"], ["s", "one", "two"]]);
});

test.each([
  [
    "throws",
    (): never => {
      throw new Error("broken");
    },
  ],
  ["answers later", async (): Promise<string> => "no"],
  [
    "answers later with an error",
    async (): Promise<never> => {
      throw new Error("broken");
    },
  ],
  ["answers something else", (): never => 1 as never],
] as const)(
  "fail open: a gate that %s is as if it weren't there, and is logged once",
  async (_what, gate) => {
    const { relay, warnings } = new Driver();
    relay.registerToolConditionalExecutionGuardrail("guard", () => "no");
    relay.registerConditionalMiddlewareGuardrail("gate", gate, { about });
    for (let n = 0; n < 2; n++)
      expect(await codeOf(relay.toolCallExecute("t", {}, one))).toBe("relay.guardrail_rejected");
    expect(warnings).toHaveLength(1);
  },
);

test("what a gate does itself meets no gate", async () => {
  const driver = new Driver();
  driver.relay.registerConditionalMiddlewareGuardrail("tells", () => void driver.relay.event("asked"), {
    about: { kinds: ["subscriber"], name: "driver" },
  });
  driver.relay.event("e");
  expect(await driver.story()).toEqual(["mark asked null", "mark e null"]);
});

test("a gate without registrations to decide about, about gates, or for one scope, is refused", () => {
  const { relay } = new Driver({ listening: false });
  const gate = (options: object) => () =>
    relay.registerConditionalMiddlewareGuardrail("g", () => null, options);
  const scope = relay.pushScope("s", "agent");
  for (const options of [
    {},
    { about: { kinds: [], name: "x" } },
    { about: { kinds: ["conditional_middleware_guardrail"], name: "x" } },
    { about, scope },
    { about, deadlineMs: 1 },
  ])
    expect(thrownBy(gate(options))).toBe("relay.option_invalid");
  expect(thrownBy(gate({ about: { kinds: ["none"], name: "x" } }))).toBe("relay.kind_unknown");
});
