/** Typed calls: a program's own values at the two ends, JSON for everybody between. */
import {
  type Codec,
  JsonPassthrough,
  typedLlmExecute,
  typedLlmStreamExecute,
  typedToolExecute,
} from "@troupe/relay/typed";
import { expect, test } from "vitest";
import { codeOf, Driver } from "./driver/driver.ts";

/** Days as texts. */
const days: Codec<Date> = {
  toJson: (day) => day.toISOString().slice(0, 10),
  fromJson: (json) => {
    const day = new Date(`${String(json)}T00:00:00Z`);
    if (Number.isNaN(day.getTime())) throw new TypeError(`no day: ${String(json)}`);
    return day;
  },
};
const request = { headers: {}, content: 1 };
const codecs = { args: days, result: days };
const tomorrow = (day: Date): Date => new Date(day.getTime() + 86_400_000);

test("a tool gets and gives its own values; intercepts and events have JSON, and what they change is checked", async () => {
  const driver = new Driver();
  const call = { name: "next", args: new Date("2026-03-01"), fn: tomorrow };
  const spoil = driver.relay.registerToolRequestIntercept("later", ({ args }) =>
    String(args).replace("03", "04"),
  );
  expect(await typedToolExecute(driver.relay, call, codecs)).toEqual(new Date("2026-04-02"));
  expect(await driver.story()).toEqual(['start tool next "2026-04-01"', 'end tool next "2026-04-02"']);
  spoil.deregister();
  driver.relay.registerToolRequestIntercept("spoils", () => "never");
  expect(await codeOf(typedToolExecute(driver.relay, call, codecs))).toBe("no day: never");
});

test("a model's response is typed, whole or in chunks", async () => {
  const driver = new Driver();
  const { relay } = driver;
  const whole = { name: "when", request, fn: async () => new Date("2026-03-01") };
  expect(await typedLlmExecute(relay, whole, days)).toEqual(new Date("2026-03-01"));
  const collected: Date[] = [];
  const chunks = typedLlmStreamExecute(
    relay,
    {
      name: "days",
      request,
      fn: async function* () {
        yield new Date("2026-03-01");
        yield new Date("2026-03-02");
      },
    },
    { chunk: days, response: new JsonPassthrough<number>() },
    {
      collector: (day) => void collected.push(day),
      finalizer: () => collected.length,
      isLast: (day) => day.getUTCDate() === 2,
    },
  );
  const read: Date[] = [];
  for await (const day of chunks) read.push(day);
  expect(read).toEqual([new Date("2026-03-01"), new Date("2026-03-02")]);
  expect(read).toEqual(collected);
  expect((await driver.story()).at(-1)).toBe("end llm days 2");
});
