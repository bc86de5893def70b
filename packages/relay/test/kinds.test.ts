/** Each kind does what its row of the table says: when it runs, and what its failure does. */
import {
  type FailurePolicy,
  kindRow,
  type LlmRequest,
  type MiddlewareKind,
  middlewareKindNames,
  type RelayEvent,
} from "@troupe/relay";
import { expect, test } from "vitest";
import { codeOf, Driver } from "./driver/driver.ts";

const request: LlmRequest = { headers: {}, content: 1 };
const facts = { metadata: { k: 1 } };
const action = { actor: "a", actorId: "1", key: [], action: "act", args: [], message: false };

/** Runs everything that any kind is about; says what became of the call. */
async function runAll({ relay }: Driver, kind: MiddlewareKind): Promise<string> {
  relay.event("mark", { data: 1, metadata: { k: 1 } });
  const call = async (): Promise<unknown> => {
    if (kind === "llm_stream_execution_intercept") {
      const stream = await relay.llmStreamCallExecute("call", request, async function* () {
        yield 1;
      });
      for await (const _ of stream);
      return undefined;
    }
    const { payload } = kindRow(kind);
    if (payload === "action") return await relay.actionConditionalExecution(action);
    if (payload === "llm") return await relay.llmCallExecute("call", request, () => ({ r: 1 }), facts);
    return await relay.toolCallExecute("call", { a: 1 }, () => ({ result: { r: 1 } }), facts);
  };
  return await codeOf(call());
}

/** What of an event is there. */
function kept(event: RelayEvent | undefined): readonly boolean[] {
  return [event?.data !== null, event?.metadata !== null];
}

/** What a failing middleware of a kind does, as it was seen. */
async function failureOf(kind: MiddlewareKind): Promise<FailurePolicy | "nothing"> {
  const driver = new Driver();
  let ran = false;
  driver.relay.register<MiddlewareKind>({
    kind,
    name: "fails",
    handle: () => {
      ran = true;
      throw new Error("broken");
    },
    ...(kind === "conditional_middleware_guardrail"
      ? { about: { kinds: ["subscriber"] as const, name: "driver" } }
      : {}),
  });
  const code = await runAll(driver, kind);
  await driver.relay.flushSubscribers();
  expect(ran).toBe(true);
  if (code !== "fulfilled") return "closed";
  const events = driver.events.filter(({ name }) => name === "mark" || name === "call");
  const status = driver.relay.subscriberStatus().find(({ name }) => name === "fails");
  if (status !== undefined) return status.failed === 3 && events.length === 3 ? "isolated" : "nothing";
  const cleared = events.filter((event) => kept(event).every((part) => !part));
  if (cleared.length > 0) return "clear";
  if (events.some(({ data }) => data === null)) return "omit";
  return driver.warnings.length === 1 ? "open" : "nothing";
}

test.each(middlewareKindNames)("S5.8 (in part) a failing %s does what its row says", async (kind) => {
  expect(await failureOf(kind)).toBe(kindRow(kind).failure);
});

test("S5.8 a kind is listed here with what is special about it, and a row that says otherwise fails", () => {
  const special = (of: "around" | "breakable" | "atOnce") =>
    middlewareKindNames.filter((kind) => kindRow(kind)[of]).sort();
  expect(special("around")).toEqual([
    ...["llm_execution_intercept", "llm_stream_execution_intercept", "tool_execution_intercept"],
  ]);
  expect(special("breakable")).toEqual(["llm_request_intercept", "tool_request_intercept"]);
  expect(special("atOnce")).toEqual(["conditional_middleware_guardrail"]);
  for (const kind of middlewareKindNames) {
    const { phase, failure } = kindRow(kind);
    const [word] = [
      /conditional_(?!middleware)/,
      /request_intercept/,
      /execution_intercept/,
      /_sanitize_re/,
    ].flatMap((pattern, n) =>
      pattern.test(kind) ? [["conditional", "request", "execution", "sanitize"][n]] : [],
    );
    if (word !== undefined) expect([kind, phase]).toEqual([kind, word]);
    if (phase === "conditional" || phase === "request" || phase === "execution")
      expect([kind, failure]).toEqual([kind, "closed"]);
  }
});
