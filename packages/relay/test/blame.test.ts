/** Who is named where an execution intercept throws: itself, unless the rest of the call has thrown that to it. */
import type { LlmRequest, Relay } from "@troupe/relay";
import { expect, test } from "vitest";
import { codeOf, Driver } from "./driver/driver.ts";

const request: LlmRequest = { headers: {}, content: {} };

/** A call through one intercept: `around` is its code, `inner` what it goes around. */
type Through = (
  relay: Relay,
  around: (next: () => Promise<unknown>) => Promise<unknown>,
  inner: () => { result: number },
) => Promise<unknown>;

const ofTool: Through = (relay, around, inner) => {
  relay.registerToolExecutionIntercept("mine", async ({ args }, { next }) => {
    await around(() => next(args));
    return { result: 2 };
  });
  return relay.toolCallExecute("t", {}, inner);
};

const ofModel: Through = (relay, around, inner) => {
  relay.registerLlmExecutionIntercept("mine", async ({ request: given }, { next }) => {
    await around(() => next(given));
    return {};
  });
  return relay.llmCallExecute("m", request, inner);
};

const kinds = [
  ["tool", ofTool],
  ["llm", ofModel],
] as const;

const well = () => ({ result: 1 });
const failure = new Error("no network");
const failing = (): never => {
  throw failure;
};

test.each(kinds)("%s: an intercept's own failure is told of under its name", async (category, through) => {
  const { relay, events, warnings } = new Driver();
  const kind = `${category}_execution_intercept`;
  const call = through(relay, () => Promise.reject(new Error("no rules")), well);
  await expect(call).rejects.toMatchObject({
    message: `The ${kind} "mine" failed`,
    code: "middleware_failed",
    metadata: { kind, by: "mine" },
  });
  await relay.flushSubscribers();
  const metadata = {
    "error.type": "relay.middleware_failed",
    "otel.status_description": `The ${kind} "mine" failed: no rules`,
  };
  expect(events.filter((event) => event.kind === "mark")).toMatchObject([{ category, metadata }]);
  expect(warnings).toEqual([`The ${kind} "mine" failed; more of it isn't logged`]);
});

test.each(kinds)("%s: what it goes around fails as it is", async (_category, through) => {
  const { relay, events, warnings } = new Driver();
  await expect(through(relay, (next) => next(), failing)).rejects.toBe(failure);
  await relay.flushSubscribers();
  expect(events.filter((event) => event.kind === "mark")).toEqual([]);
  expect(warnings).toEqual([]);
});

test.each(kinds)(
  "%s: one that throws something of its own for that has failed",
  async (_category, through) => {
    const { relay } = new Driver();
    const around = (next: () => Promise<unknown>) =>
      next().catch((cause: unknown) => {
        throw new Error("gave up", { cause });
      });
    expect(await codeOf(through(relay, around, failing))).toBe("relay.middleware_failed");
  },
);

test.each([
  ["answers nothing", undefined],
  ["gives next a header that makes another", { headers: { a: "1\r\nb: 2" }, content: {} }],
  ["gives next no request", JSON.parse("{}")],
])("an intercept of models that %s has failed, and its provider isn't asked", async (_what, given) => {
  const { relay } = new Driver();
  let isAsked = false;
  relay.registerLlmExecutionIntercept("mine", (_payload, { next }) => given && next(given));
  const call = relay.llmCallExecute("m", request, () => {
    isAsked = true;
  });
  await expect(call).rejects.toMatchObject({ code: "middleware_failed", cause: { code: "bad_answer" } });
  expect(isAsked).toBe(false);
});

test("what a provider answers an intercept may give on, also where it is nothing", async () => {
  const { relay } = new Driver();
  relay.registerLlmExecutionIntercept("mine", ({ request: given }, { next }) => next(given));
  expect(await relay.llmCallExecute("m", request, () => undefined)).toBeUndefined();
});
