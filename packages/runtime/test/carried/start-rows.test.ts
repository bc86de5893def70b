/** Actors whose rows are more than one message holds. */
import { NO_PAYLOAD, Space, type Start, ToActorCodec } from "@troupe/protocol/actor/v1";
import { expect, test } from "vitest";
import { startWords } from "../../src/actor/carried/start-words.ts";
import { actor } from "../../src/index.ts";
import { Driver } from "../driver/driver.ts";
import { watch } from "../driver/watch.ts";
import { played } from "./code.ts";

const row = (key: string, bytes: number) => ({
  space: Space.STATE,
  key,
  blobKey: NO_PAYLOAD,
  value: new Uint8Array(bytes),
  deleted: false,
});

const start = (rows: Start["rows"], input = 0): Start => ({
  name: "n",
  key: ["k"],
  actorId: "i",
  generation: 1,
  createdAt: 0,
  isNew: false,
  input: new Uint8Array(input),
  rows,
  actor: "a",
  moreRows: false,
});

const keys = (words: ReturnType<typeof startWords>) =>
  words.map((word) =>
    word.$case === "start" || word.$case === "startRows"
      ? word.value.rows.map((one) => one.key).join("")
      : "?",
  );

const tables: readonly (readonly [string, Start, number, string[]])[] = [
  ["nothing", start([]), 1_000, [""]],
  ["what fits", start([row("a", 100), row("b", 100)]), 1_000, ["ab"]],
  ["what doesn't, in order", start([row("a", 500), row("b", 500), row("c", 300)]), 1_000, ["a", "bc"]],
  ["rows behind a long input", start([row("a", 500), row("b", 100)], 900), 1_000, ["", "ab"]],
  [
    "a row that is longer than a message",
    start([row("a", 9), row("b", 5_000), row("c", 9)]),
    1_000,
    ["a", "b", "c"],
  ],
  ["whatever, without a limit", start([row("a", 500), row("b", 5_000)]), Infinity, ["ab"]],
];

test.each(tables)("a start is said in as few words as hold it: %s", (_, whole, mostBytes, expected) => {
  const words = startWords(whole, mostBytes);
  expect(keys(words)).toEqual(expected);
  expect(words.map((word) => word.$case === "start" && word.value.moreRows)).toEqual(
    expected.map((__, at) => at === 0 && expected.length > 1),
  );
  expect(words.map((word) => word.$case === "startRows" && word.value.last)).toEqual(
    expected.map((__, at) => at > 0 && at === expected.length - 1),
  );
  // One row that is longer than a message is the only thing that may be.
  for (const body of words) {
    const { byteLength } = ToActorCodec.encode({ instance: 1, body });
    const rows = body.$case === "start" || body.$case === "startRows" ? body.value.rows : [];
    if (rows.length !== 1) expect(byteLength).toBeLessThanOrEqual(mostBytes);
  }
});

test("an actor with more rows than a message holds wakes whole, calls made meanwhile wait for the last row", async () => {
  const wide = actor({
    state: Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`p${at}`, "x".repeat(40)])),
    actions: {
      set: (c, name: string, value: string) => void Object.assign(c.state, { [name]: value }),
      get: (c) => ({ ...c.state }),
    },
  });
  await using driver = await Driver.start({ wide });
  await driver.act("wide", "set", "p39", "last");
  await driver.restart();
  const answers = await Promise.all(["a", "b"].map(() => driver.act("wide", "get")));
  for (const { output } of answers as { output: Record<string, string> }[]) {
    expect(Object.keys(output)).toHaveLength(40);
    expect([output.p0, output.p39]).toEqual(["x".repeat(40), "last"]);
  }
});

test("code that doesn't read StartRows gets one Start, whatever its size", async () => {
  for (const [startRows, words] of [
    [true, ["start", "startRows", "startRows"]],
    [false, ["start"]],
  ] as const) {
    const code = played("json", { startRows });
    await using driver = await Driver.start({ played: code.definition });
    const first = watch(driver.act("played", "act"));
    await driver.world.idle();
    code.newest().started();
    code.newest().write("large", "x".repeat(700));
    code.newest().write("other", "x".repeat(700));
    await driver.world.idle();
    code.newest().reply(1);
    await driver.world.idle();
    expect(first.state).toBe("resolved");
    code.newest().lose();
    void driver.act("played", "act");
    await driver.world.idle();
    expect(code.newest().words.map((word) => word.$case)).toEqual(words);
  }
});
