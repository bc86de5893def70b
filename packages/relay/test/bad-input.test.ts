/** What programs get wrong: typed errors that say what and where, never a lost call, never the end of the process. */
import { expect, test } from "vitest";
import { codeOf, Driver, thrownBy } from "./driver/driver.ts";

const one = () => ({ result: 1 });

test("an answer that settles twice, or settles and throws, settles once", async () => {
  const { relay } = new Driver();
  const twice = {
    // biome-ignore lint/suspicious/noThenProperty: that is what is tested
    then: (resolve: (value: { result: number }) => void, reject: (error: unknown) => void) => {
      resolve({ result: 1 });
      resolve({ result: 2 });
      reject(new Error("late"));
      throw new Error("later");
    },
  };
  const call = relay.toolCallExecute("t", {}, () => twice as never);
  expect(await call).toEqual({ result: 1 });
});

test("a rejection that is no error, and an error that can't be read, are told and passed on as they are", async () => {
  const driver = new Driver();
  const hostile = new Proxy(new Error("x"), {
    get: (_target, key) => {
      if (key === "message") throw new Error("unreadable");
      return undefined;
    },
  });
  for (const thrown of [undefined, null, "text", 7n, Symbol("s"), hostile]) {
    const call = driver.relay.toolCallExecute("t", {}, () => Promise.reject(thrown));
    expect(
      await call.then(
        () => "fulfilled",
        (error: unknown) => error === thrown,
      ),
    ).toBe(true);
  }
  await driver.relay.flushSubscribers();
  const ends = driver.events.filter((event) => event.kind === "scope" && event.scope_category === "end");
  expect(ends.map(({ metadata }) => metadata?.["otel.status_code"])).toEqual(new Array(6).fill("ERROR"));
});

test("facts that JSON can't say are told in words, so that no exporter breaks on them", async () => {
  const driver = new Driver();
  const facts: Record<string, unknown> = { big: 1n, when: new Date(0), nan: Number.NaN };
  facts.self = facts;
  const metadata = facts as never;
  await driver.relay.toolCallExecute("t", {}, one, { metadata });
  driver.relay.event("m", { metadata, categoryProfile: metadata });
  await driver.relay.flushSubscribers();
  for (const event of driver.events) expect(() => JSON.stringify(event)).not.toThrow();
  const { metadata: told } = await driver.find("m", "mark");
  expect(told).toEqual({ big: "1", when: "1970-01-01T00:00:00.000Z", nan: "NaN", self: "[circular]" });
});

test("names and scopes that are none are refused where they are given", async () => {
  const { relay } = new Driver();
  const nothing = undefined as never;
  expect(await codeOf(relay.toolCallExecute(nothing, {}, one))).toBe("relay.option_invalid");
  expect(thrownBy(() => relay.pushScope(nothing, "agent"))).toBe("relay.option_invalid");
  expect(thrownBy(() => relay.popScope(nothing))).toBe("relay.root_scope");
  expect(thrownBy(() => relay.popScope({ name: "forged" } as never))).toBe("relay.foreign_scope");
  expect(thrownBy(() => relay.event("m", { parent: {} as never }))).toBe("relay.foreign_scope");
  const facts = { metadata: 5 as never };
  expect(thrownBy(() => relay.event("m", facts))).toBe("relay.option_invalid");
  expect(thrownBy(() => relay.pushScope("s", "agent", facts))).toBe("relay.option_invalid");
  expect(await codeOf(relay.toolCallExecute("t", {}, one, facts))).toBe("relay.option_invalid");
  const foreign = { parent: new Driver().relay.pushScope("theirs", "agent") };
  expect(await codeOf(relay.toolCallExecute("t", {}, one, foreign))).toBe("relay.foreign_scope");
  expect(await codeOf(relay.llmStreamCallExecute("l", nothing, nothing))).toBe("relay.bad_answer");
});

test("an unknown option says which one was meant", () => {
  const { relay } = new Driver();
  const options = { queuLimit: 3 } as never;
  expect(() => relay.registerSubscriber("s", () => {}, options)).toThrow("queueLimit");
});
