/** Events on their way: order, full queues, failures, flushing, and payloads that JSON can't say. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { limits } from "@troupe/protocol";
import { AtofExporter } from "@troupe/relay/node";
import { createComponents } from "@troupe/relay/plugin";
import { expect, test } from "vitest";
import { codeOf, Driver, thrownBy } from "./driver/driver.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function latch() {
  return Promise.withResolvers<void>();
}

test("a stalled subscriber holds up nobody: its queue fills to its limit, and what is lost is counted", async () => {
  const { relay, events } = new Driver();
  const stall = latch();
  const seen: Record<"new" | "old", string[]> = { new: [], old: [] };
  const stalled = (list: string[]) => async (event: { name: string }) => {
    await stall.promise;
    list.push(event.name);
  };
  relay.registerSubscriber("newest", stalled(seen.new), { queueLimit: 2 });
  relay.registerSubscriber("oldest", stalled(seen.old), { queueLimit: 2, overflow: "drop_oldest" });
  for (let n = 0; n < 5; n++) relay.event(`e${n}`);
  stall.resolve();
  await relay.flushSubscribers();
  expect([seen.new, seen.old]).toEqual([
    ["e0", "e1"],
    ["e3", "e4"],
  ]);
  expect(events).toHaveLength(5);
  expect(relay.subscriberStatus().map(({ name, dropped, delivered }) => [name, dropped, delivered])).toEqual([
    ["driver", 0, 5],
    ["newest", 3, 2],
    ["oldest", 3, 2],
  ]);
});

test("one that hangs holds up no exporter, and nobody once it is gone", async () => {
  const { relay, events } = new Driver();
  const folder = mkdtempSync(join(tmpdir(), "relay-hung-"));
  const hung = relay.registerSubscriber("hung", () => new Promise(() => {}));
  const exporter = new AtofExporter({ outputDirectory: folder, filename: "e.jsonl" });
  exporter.register(relay, "file");
  relay.event("first");
  await exporter.forceFlush();
  expect(readFileSync(join(folder, "e.jsonl"), "utf8")).toContain('"first"');
  relay.event("behind the first");
  const waiting = relay.flushSubscribers();
  exporter.deregister();
  await exporter.shutdown();
  expect(readFileSync(join(folder, "e.jsonl"), "utf8")).toContain("behind the first");
  hung.deregister();
  await waiting;
  relay.event("last");
  await relay.flushSubscribers();
  expect(events.map(({ name }) => name)).toEqual(["first", "behind the first", "last"]);
  rmSync(folder, { recursive: true });
});

test("one that is gone before it hangs is let go of as well, with its scope too", async () => {
  const { relay } = new Driver();
  const hangs = () => new Promise(() => {});
  const hung = relay.registerSubscriber("hung", hangs);
  const scope = relay.pushScope("s", "agent");
  relay.registerSubscriber("in the scope", hangs, { scope });
  relay.event("e", { parent: scope });
  const waiting = relay.flushSubscribers();
  hung.deregister();
  relay.popScope(scope);
  await waiting;
});

test("a change of components waits for nobody else's subscriber", async () => {
  const { relay } = new Driver();
  const folder = mkdtempSync(join(tmpdir(), "relay-hung-"));
  relay.registerSubscriber("hung", () => new Promise(() => {}));
  const components = createComponents(relay);
  const sinks = [{ type: "file", output_directory: folder, filename: "c.jsonl" }];
  const config = { version: 4, atof: { enabled: true, sinks } };
  await components.initialize({ components: [{ kind: "observability", config }] });
  relay.event("e");
  await components.initialize({ components: [] });
  expect(readFileSync(join(folder, "c.jsonl"), "utf8")).toContain('"e"');
  rmSync(folder, { recursive: true });
});

test("without a limit of its own a queue takes what limits.ts says", async () => {
  const { relay } = new Driver();
  for (let n = 0; n < limits.relaySubscriberQueue + 3; n++) relay.event("e");
  expect(relay.subscriberStatus()[0]).toMatchObject({ dropped: 3, waiting: limits.relaySubscriberQueue });
  const most = limits.relaySubscriberQueueLongest;
  expect(thrownBy(() => relay.registerSubscriber("s", () => {}, { queueLimit: most + 1 }))).toBe(
    "relay.option_invalid",
  );
});

test("a queue is bounded by bytes as well: what is too much is dropped and counted, and what is larger than all waits alone", async () => {
  const { relay } = new Driver({ listening: false });
  const stall = latch();
  const seen: string[] = [];
  const stalled = async ({ name }: { name: string }) => {
    await stall.promise;
    seen.push(name);
  };
  relay.registerSubscriber("newest", stalled);
  relay.registerSubscriber("oldest", () => stall.promise, { overflow: "drop_oldest" });
  const most = limits.relaySubscriberQueueBytes;
  // A character may take two bytes.
  const third = "x".repeat(most / 2 / 3);
  relay.event("larger", { data: "x".repeat(most) });
  await new Promise((resolve) => setImmediate(resolve));
  for (const name of ["a", "b", "c", "d"]) relay.event(name, { data: { deep: [third] } });
  for (const status of relay.subscriberStatus()) {
    expect(status).toMatchObject({ dropped: 2, waiting: 2 });
    expect(status.waitingBytes).toBeLessThanOrEqual(most);
    expect(status.waitingBytes).toBeGreaterThan((most / 3) * 2);
  }
  stall.resolve();
  await relay.flushSubscribers();
  expect(seen).toEqual(["larger", "a", "b"]);
  expect(relay.subscriberStatus()[0]).toMatchObject({ waitingBytes: 0, delivered: 3 });
});

test("events that wait for a sanitizer are bounded by bytes, and what is more is counted", async () => {
  const { relay, events } = new Driver();
  relay.registerMarkSanitizeGuardrail("same", ({ fields }) => fields);
  const half = "x".repeat(limits.relayPendingEventBytes / 2 / 2);
  for (const name of ["a", "b", "c"]) relay.event(name, { data: half });
  expect(relay.droppedEvents).toBe(2);
  await relay.flushSubscribers();
  relay.event("d", { data: half });
  await relay.flushSubscribers();
  expect(events.map(({ name }) => name)).toEqual(["a", "d"]);
});

test("a subscriber that throws loses that event alone, is logged once, and the others hear all", async () => {
  const { relay, events, warnings } = new Driver();
  relay.registerSubscriber("bad", (event) => {
    if (event.name !== "c") throw new Error("bad");
  });
  for (const name of ["a", "b", "c"]) relay.event(name);
  await relay.flushSubscribers();
  expect(relay.subscriberStatus()[1]).toMatchObject({ failed: 2, delivered: 1 });
  expect([events.map(({ name }) => name), warnings.length]).toEqual([["a", "b", "c"], 1]);
});

test("a flush inside a subscriber or a sanitizer says that it can't be", async () => {
  const { relay } = new Driver();
  const codes: string[] = [];
  relay.registerSubscriber("flushes", async () => void codes.push(await codeOf(relay.flushSubscribers())));
  relay.registerMarkSanitizeGuardrail("flushes", async ({ fields }) => {
    codes.push(await codeOf(relay.flushSubscribers()));
    return fields;
  });
  relay.event("e");
  await relay.flushSubscribers();
  expect(codes).toEqual(["relay.flush_in_subscriber", "relay.flush_in_subscriber"]);
});

test("a flush is a barrier: what was emitted before it has been handled, slow sanitizers included", async () => {
  const { relay, events } = new Driver();
  relay.registerMarkSanitizeGuardrail("slow", async ({ event, fields }) => {
    if (event.name === "slow") await new Promise((resolve) => setImmediate(resolve));
    return fields;
  });
  relay.event("slow");
  relay.event("quick");
  await relay.withScope("scope", "agent", () => {});
  await relay.flushSubscribers();
  expect(events.map(({ name }) => name)).toEqual(["slow", "quick", "scope", "scope"]);
});

test("sanitizers fail closed and injectors open: what couldn't be sanitized is in no event", async () => {
  const driver = new Driver();
  const { relay } = driver;
  const broken = () => {
    throw new Error("broken");
  };
  relay.registerToolSanitizeRequestGuardrail("broken", broken);
  relay.registerMarkSanitizeGuardrail("broken", broken);
  relay.registerEventMetadataInjector("broken", broken);
  relay.registerEventMetadataInjector("nested", () => ({ not: { flat: true } }));
  relay.registerEventMetadataInjector("good", () => ({ kept: "theirs", tags: ["a", "b"] }));
  await relay.toolCallExecute("t", { secret: 1 }, () => ({ result: "fine" }), { metadata: { kept: "mine" } });
  relay.event("m", { data: { secret: 1 }, metadata: { secret: 1 } });
  expect(await driver.story()).toEqual(["start tool t null", 'end tool t "fine"', "mark m null"]);
  expect((await driver.find("t", "start")).metadata).toEqual({ kept: "mine", tags: ["a", "b"] });
  expect((await driver.find("m", "mark")).metadata).toBeNull();
  expect(driver.warnings).toHaveLength(4);
});

test("a sanitizer that hangs leaves its payload out when its deadline is over, and holds up nothing else", async () => {
  const driver = new Driver();
  const asked = latch();
  driver.relay.registerMarkSanitizeGuardrail("hangs", () => {
    asked.resolve();
    return new Promise(() => {});
  });
  driver.relay.event("m", { data: 1 });
  await asked.promise;
  await new Promise((resolve) => setImmediate(resolve));
  driver.deadlinesPass();
  expect(await driver.story()).toEqual(["mark m null"]);
});

test("events that wait for sanitizers are bounded: what is more is lost to all, counted by each, and said once", async () => {
  const { relay, warnings } = new Driver();
  await relay.withScope("s", "agent", async (scope) => {
    relay.registerSubscriber("elsewhere", () => {}, { scope });
  });
  const inScope = relay.pushScope("open", "agent");
  relay.registerSubscriber("in a scope", () => {}, { scope: inScope });
  await relay.flushSubscribers();
  relay.registerMarkSanitizeGuardrail("same", ({ fields }) => fields);
  for (let n = 0; n < limits.relayPendingEvents + 7; n++) relay.event("e");
  relay.event("e", { parent: inScope });
  expect(relay.droppedEvents).toBe(8);
  expect(relay.subscriberStatus().map(({ name, missed }) => [name, missed])).toEqual([
    ["driver", 8],
    ["in a scope", 1],
  ]);
  expect(warnings).toEqual(["Middleware of events can't keep up: events are lost; more of it isn't logged"]);
  await relay.flushSubscribers();
});

test("a timer that a subscriber has left behind may flush, and one of a subscriber that is at work may not", async () => {
  const { relay } = new Driver();
  const left = latch();
  const flushed: string[] = [];
  relay.registerSubscriber("leaves", ({ name }) => {
    if (name === "e")
      setTimeout(async () => {
        flushed.push(await codeOf(relay.flushSubscribers()));
        left.resolve();
      }, 0);
  });
  relay.event("e");
  await left.promise;
  relay.registerSubscriber("works", async ({ name }) => {
    if (name !== "f") return;
    const done = latch();
    setTimeout(async () => {
      flushed.push(await codeOf(relay.flushSubscribers()));
      done.resolve();
    }, 0);
    await done.promise;
  });
  relay.event("f");
  await relay.flushSubscribers();
  expect(flushed).toEqual(["fulfilled", "relay.flush_in_subscriber"]);
});

test("a schema that JSON can't say costs no exporter its event", async () => {
  const driver = new Driver();
  const folder = mkdtempSync(join(tmpdir(), "relay-schema-"));
  await using exporter = new AtofExporter({ outputDirectory: folder, filename: "e.jsonl" });
  exporter.register(driver.relay, "file");
  for (const dataSchema of [
    { name: 1n, version: "2" },
    { name: "n", version: 3n },
    1n,
    { name: Symbol("s") },
  ])
    driver.relay.event("m", { dataSchema: dataSchema as never, category: 1n as never });
  await exporter.forceFlush();
  const lines = readFileSync(join(folder, "e.jsonl"), "utf8").trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line).data_schema)).toEqual([
    ...[{ name: "1", version: "2" }, { name: "n", version: "3" }, null, { name: "[symbol]", version: "" }],
  ]);
  rmSync(folder, { recursive: true });
});

test("an event keeps the payload as it was, and a sanitizer can't reach the real one", async () => {
  const driver = new Driver();
  const args = { list: [1] };
  driver.relay.registerToolSanitizeRequestGuardrail("greedy", ({ value }) => {
    Object.assign(Object(value), { list: "gone" });
    return value;
  });
  await driver.relay.toolCallExecute("t", args, () => {
    args.list.push(2);
    return { result: args };
  });
  args.list.push(3);
  expect(args.list).toEqual([1, 2, 3]);
  expect(await driver.story()).toEqual(['start tool t {"list":"gone"}', 'end tool t {"list":[1,2]}']);
});

test("no payload breaks a call: what JSON can't say is told in words", async () => {
  const driver = new Driver();
  const ring: { self?: unknown } = {};
  ring.self = ring;
  const deep = Array.from({ length: limits.relayPayloadDepth + 1 }).reduce<unknown>((inner) => [inner], 1);
  const hostile = new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error("no");
      },
    },
  );
  const args = {
    ...{ big: 10n, nan: Number.NaN, date: new Date(0), map: new Map([["k", 1]]), set: new Set([1]) },
    ...{ sparse: new Array(2), bytes: new Uint8Array(3), error: new TypeError("e"), nothing: undefined },
    ...{ symbol: Symbol("s"), ring, hostile },
    get thrower(): never {
      throw new Error("no");
    },
    __proto__: null,
  };
  const { result } = await driver.relay.toolCallExecute("t", args, (given) => ({ result: given === args }));
  expect(result).toBe(true);
  expect((await driver.find("t", "start")).data).toEqual({
    ...{ big: "10", nan: "NaN", date: "1970-01-01T00:00:00.000Z", map: { k: 1 }, set: [1] },
    ...{ sparse: [null, null], bytes: "[3 bytes]", error: { name: "TypeError", message: "e" } },
    ...{ symbol: "[symbol]", ring: { self: "[circular]" }, hostile: "[unreadable]", thrower: "[unreadable]" },
  });
  driver.relay.event("deep", { data: deep });
  driver.relay.event("wide", { data: new Array(limits.relayPayloadEntries + 1).fill(0) });
  expect(JSON.stringify((await driver.find("deep", "mark")).data)).toContain("[too deep]");
  const { data } = await driver.find("wide", "mark");
  expect(data).toHaveLength(limits.relayPayloadEntries + 1);
  expect([Array.isArray(data) && data.at(-1), Array.isArray(data) && data.at(-2)]).toEqual(["[cut]", 0]);
  const facts = { first: new Array(limits.relayPayloadEntries - 2).fill(0), second: 1, third: 2 };
  driver.relay.event("cut", { data: facts });
  expect((await driver.find("cut", "mark")).data).toMatchObject({ second: 1, "[cut]": true });
});

test("without a subscriber nothing is read, not even the payload", async () => {
  const { relay } = new Driver({ listening: false });
  const args = {
    get secret(): never {
      throw new Error("read");
    },
  };
  relay.registerToolSanitizeRequestGuardrail("idle", () => expect.unreachable());
  await relay.toolCallExecute("t", args, () => ({ result: args }));
  await relay.flushSubscribers();
});

test("registrations are bounded in each place, and what no registry can take is refused", () => {
  const { relay } = new Driver({ listening: false });
  const add = (n: number) => relay.registerSubscriber(`s${n}`, () => {});
  for (let n = 0; n < limits.relayRegistrations; n++) add(n);
  expect(thrownBy(() => add(-1))).toBe("relay.too_many_registrations");
  const bad: (readonly [object, string])[] = [
    [{ kind: "nothing" }, "relay.kind_unknown"],
    [{ kind: "toString" }, "relay.kind_unknown"],
    [{ name: "" }, "relay.name_malformed"],
    [{ handle: 1 }, "relay.option_invalid"],
    [{ priority: Number.NaN }, "relay.option_invalid"],
    [{ deadlineMs: 0 }, "relay.option_invalid"],
    [{ deadlineMs: "5" }, "relay.option_invalid"],
    [{ queueLimit: 0 }, "relay.option_invalid"],
    [{ overflow: "drop_all" }, "relay.option_invalid"],
    [{ about: { kinds: ["subscriber"], name: "s" } }, "relay.option_invalid"],
    [{ priorty: 1 }, "relay.option_unknown"],
  ];
  for (const [wrong, code] of bad) {
    const request = { kind: "subscriber" as const, name: "n", handle: () => {}, ...wrong };
    expect(thrownBy(() => relay.register(request))).toBe(code);
  }
});

test("S5.7 (in part) a name is free again as soon as its registration is undone, also by name, in its place alone", () => {
  const { relay } = new Driver({ listening: false });
  const scope = relay.pushScope("s", "agent");
  relay.registerSubscriber("s", () => {});
  relay.registerSubscriber("s", () => {}, { scope });
  expect(relay.deregisterSubscriber("s", scope)).toBe(true);
  expect(relay.deregisterSubscriber("s", scope)).toBe(false);
  expect(relay.deregisterToolRequestIntercept("s")).toBe(false);
  relay.registerToolRequestIntercept("t", ({ args }) => args);
  expect(relay.listRuntimeRegistrations(["tool_request_intercept"]).map(({ name }) => name)).toEqual(["t"]);
  expect(relay.deregisterToolRequestIntercept("t")).toBe(true);
  expect(relay.deregisterSubscriber("s")).toBe(true);
  expect(relay.listRuntimeRegistrations()).toEqual([]);
  relay.registerSubscriber("s", () => {}, { scope });
});

test("S5.7 what a test registers is undone also when it fails: with its block, with its scope, with its relay", async () => {
  const { relay } = new Driver({ listening: false });
  const failing = async (): Promise<void> => {
    using guard = relay.registerToolConditionalExecutionGuardrail("guard", () => "no");
    using ear = relay.registerSubscriber("ear", () => {});
    await relay.withScope("s", "agent", async (scope) => {
      relay.registerToolRequestIntercept("local", ({ args }) => args, { scope });
      expect(relay.listRuntimeRegistrations()).toHaveLength(3);
      expect(guard.name, "this test fails").toBe(ear.name);
    });
  };
  await expect(failing()).rejects.toThrow("this test fails");
  expect(relay.listRuntimeRegistrations()).toEqual([]);
  // The next test's names are free, and nothing of the failed one is asked.
  using guard = relay.registerToolConditionalExecutionGuardrail("guard", () => null);
  expect(await relay.toolCallExecute("t", 1, () => ({ result: 2 }))).toMatchObject({ result: 2 });
  expect(guard.deregister()).toBe(true);
  // Where a test forgets it, its relay is its own: another one knows nothing of it.
  relay.registerSubscriber("forgotten", () => {});
  expect(new Driver({ listening: false }).relay.listRuntimeRegistrations()).toEqual([]);
});

test("a stalled subscriber and 20,000 events of 20 kB: memory holds what its queue may, and no more", async () => {
  const { relay } = new Driver({ listening: false });
  const stall = latch();
  relay.registerSubscriber("stalled", () => stall.promise);
  // Each event's text is its own: slices of one text would share it.
  const payload = (n: number): string => Buffer.alloc(20_000, String(n % 10)).toString("latin1");
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let n = 0; n < 20_000; n++) {
    relay.event("large", { data: { text: payload(n) } });
    if (n % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  collect();
  const grown = process.memoryUsage().heapUsed - before;
  const { dropped = 0, waiting = 0, waitingBytes = 0 } = relay.subscriberStatus()[0] ?? {};
  // One is being handled.
  expect([dropped + waiting, waitingBytes <= limits.relaySubscriberQueueBytes]).toEqual([19_999, true]);
  expect(dropped).toBeGreaterThan(19_000);
  // 400 MB went by.
  expect(grown).toBeLessThan(limits.relaySubscriberQueueBytes);
  stall.resolve();
  await relay.flushSubscribers();
});

test("an event stays as it was emitted: neither the program nor an earlier subscriber changes it", async () => {
  const { relay } = new Driver();
  const seen: unknown[] = [];
  relay.registerSubscriber("edits", (event) => {
    for (const part of [event, event.data, event.metadata])
      seen.push(Reflect.set(Object(part), "name", "edited"));
  });
  relay.registerSubscriber("behind", ({ name, data, metadata }) => seen.push({ name, data, metadata }));
  const metadata = { name: "as emitted" };
  relay.event("mark", { data: { name: "data" }, metadata });
  metadata.name = "changed since";
  await relay.flushSubscribers();
  const told = { name: "mark", data: { name: "data" }, metadata: { name: "as emitted" } };
  expect(seen).toEqual([false, false, false, told]);
});
