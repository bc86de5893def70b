/** Isolates that have earned to be entered on their process's own thread: what they get by it, and what they can do with it. */
import { limits } from "@troupe/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { IsolateProcess } from "../../src/carriers/isolate/isolate-process.ts";
import type { IsolateOrder } from "../../src/carriers/isolate/wire.ts";
import { DynamicWorld, dynamic, failure, isolateProcess } from "../support/dynamic-world.ts";
import { attempts, bombs, sharedMemory, stubborn } from "../support/escapes.ts";
import { IsolateLine, orderOf } from "../support/isolate-line.ts";
import { needsPackage } from "../support/native-package.ts";
import { nodeSessionEnv } from "../support/node-env.ts";

needsPackage("isolated-vm");

/**
 * Many more short entries than trust takes, for some aren't: those in which functions are compiled, up to a thousand calls on, and
 * those in which garbage is collected. An isolate's own processor time says which, so that a busy machine changes nothing.
 */
const ENOUGH = 16 * limits.isolateTrustEntries;
/** An entry that isn't short for once is a debt of all, and keeps the next from it for a while. */
const TRIES = 12;

const hello = "hello: () => 'hello'";

let isolates: IsolateProcess;
let neighbour: IsolateLine;
beforeEach(async () => {
  isolates = new IsolateProcess(nodeSessionEnv);
  neighbour = await IsolateLine.open(isolates, orderOf(`actions: { ${hello} }`));
});
afterEach(() => isolates.close());

/** An actor that is trusted: it was called, one call at a time. */
async function trusted(order: IsolateOrder): Promise<IsolateLine> {
  const line = await IsolateLine.open(isolates, order);
  for (let n = 0; n < ENOUGH; n += 1) await line.call("hello");
  return line;
}

test("finds nothing, with trust: each attempt of the corpus", async () => {
  const attempt = ([, expression]: (typeof attempts)[number], index: number) =>
    `a${index}: async (c) => await (${expression}),`;
  // Whether there is a network is said by a definition, and here is none.
  const here = attempts.filter(([, expression]) => !expression.startsWith("fetch("));
  const { source } = orderOf(`actions: { ${hello}, ${here.map(attempt).join("\n")} }`);
  const line = await trusted(orderOf("", { source: `${sharedMemory}\n${source}` }));
  for (const [index, [what, , finds]] of here.entries()) {
    expect([what, await line.call(`a${index}`)]).toEqual([what, finds]);
    for (let n = 0; n < limits.isolateTrustEntries; n += 1) await line.call("hello");
  }
});

/** One for each way to take something away from everybody. */
const kinds = [
  "loop",
  "loopOfMicrotasks",
  "loopInATimer",
  "regularExpression",
  "heap",
  "buffers",
  "oneBuffer",
  "stack",
  "lengthThatIsNone",
  "answerThatLoops",
  "timers",
];

test.each(kinds)("harms nobody else, with trust: %s", async (kind) => {
  const { action, is } = bombs[kind] ?? { action: "", is: "" };
  const { source } = orderOf(`actions: { ${hello}, act: ${action} }`);
  const timeLimitMs = is === "dynamic.time_exceeded" ? 300 : limits.isolateTimeMs;
  const order = { source: `${sharedMemory}\n${source}`, memoryLimit: 16, timeLimitMs };
  const line = await trusted(orderOf("", order));
  const pid = isolateProcess();
  // A busy machine may take longer to fill a memory than such an entry has.
  expect([is, "dynamic.time_exceeded"]).toContain((await failure(line.call("act"))).is);
  expect(await neighbour.call("hello")).toBe("hello");
  expect(isolateProcess()).toBe(pid);
});

test("what can't be stopped ends the process, with trust as without", async () => {
  const order = orderOf(`actions: { ${hello}, act: ${stubborn.searchOfNothing} }`, { timeLimitMs: 300 });
  const line = await trusted(order);
  expect(await failure(line.call("act"))).toMatchObject({ is: "dynamic.process_lost" });
  expect(await (await IsolateLine.open(isolates, order)).call("hello")).toBe("hello");
});

test("who earns trust and spins holds up its neighbours once: whoever tries again spins on a thread of its own", async () => {
  const order = orderOf(`actions: { ${hello}, spin: () => { for (;;); } }`, { timeLimitMs: 300 });
  // One that was held up is answered when the loop has ended, which may be heard together with that end.
  const isHeldUp = (answers: number): boolean => answers <= 1;
  const answersMeanwhile: number[] = [];
  for (let after = 0; after < 3 && answersMeanwhile.length < TRIES; ) {
    const hostile = await trusted(order);
    const other = await anIsolate();
    let over = false;
    const spinning = failure(hostile.call("spin")).finally(() => {
      over = true;
    });
    // Its process tells of this end before it begins what it read beside it: it spins when we know of it.
    await other.dispose();
    let answers = 0;
    while (!over) {
      await neighbour.call("hello");
      if (!over) answers += 1;
    }
    expect(await spinning).toMatchObject({ is: "dynamic.time_exceeded" });
    if (answersMeanwhile.some(isHeldUp)) after += 1;
    answersMeanwhile.push(answers);
  }
  const heldUp = answersMeanwhile.filter(isHeldUp);
  expect(heldUp).toHaveLength(1);
});

/** One that does nothing. */
async function anIsolate(): Promise<{ dispose(): Promise<void> }> {
  const loaded = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const number = isolates.create(orderOf(`actions: { ${hello} }`), {
    actor: { actor: "idle" },
    loaded: loaded.resolve,
    frame: () => {},
    ended: () => ended.resolve(),
  });
  await loaded.promise;
  return {
    dispose: () => {
      isolates.dispose(number);
      return ended.promise;
    },
  };
}

test("calls that wait, events, state and long values are the same with trust as without", async () => {
  const config = `
    state: { n: 0 },
    events: { told: event() },
    actions: {
      ${hello},
      add: (c, by) => { c.broadcast("told", by); return (c.state.n += by); },
      later: async (c, value) => { await new Promise((resolve) => setTimeout(resolve, 1)); return value; },
      long: (c, text) => text.length + ":" + text,
      deep: () => { let depth = 0; const dive = () => { depth += 1; dive(); }; try { dive(); } catch { return depth > 20_000; } },
    }`;
  await using world = await DynamicWorld.start({ it: dynamic(config) });
  const connection = world.handle("it").connect();
  const told: unknown[] = [];
  connection.on("told", (by) => told.push(by));
  const act = (name: string, ...args: unknown[]) => connection.action({ name, args });
  const text = "x".repeat(40_000);
  const round = async (): Promise<unknown[]> => [
    await act("add", 1),
    await act("later", text),
    await act("long", text),
    await act("deep"),
    told.splice(0),
  ];
  const asStranger = await round();
  expect(asStranger).toEqual([1, text, `40000:${text}`, true, [1]]);
  for (let n = 0; n < ENOUGH; n += 1) await act("hello");
  expect(await round()).toEqual([2, ...asStranger.slice(1)]);
  await connection.dispose();
});
