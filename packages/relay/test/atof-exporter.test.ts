/** Events in a file. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AtofExporter, type AtofExporterOptions, createRelay } from "@troupe/relay/node";
import { expect, test } from "vitest";
import { codeOf, thrownBy } from "./driver/driver.ts";
import { Receiver } from "./driver/receiver.ts";

function directory() {
  const path = mkdtempSync(join(tmpdir(), "troupe-relay-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function names(path: string | null): string[] {
  const lines = readFileSync(String(path), "utf8").split("\n");
  expect(lines.pop()).toBe("");
  return lines.map((line) => JSON.parse(line).name);
}

test("a scope, a mark, a rejected and a happy tool call are lines of a file, flushed and closed", async () => {
  using place = directory();
  const relay = createRelay();
  await using exporter = new AtofExporter({ outputDirectory: join(place.path, "new"), filename: "e.jsonl" });
  exporter.register(relay, "file");
  relay.registerToolConditionalExecutionGuardrail("guard", ({ args }) => (args === "bad" ? "no" : null));
  await relay.withScope("outer", "agent", async () => {
    relay.event("m");
    await relay.toolCallExecute("good", {}, () => ({ result: 1 }));
    await codeOf(relay.toolCallExecute("evil", "bad", () => ({ result: 1 })));
  });
  await exporter.forceFlush();
  const told = ["outer", "m", "guard", "guard", "good", "good", "guard", "guard", "evil", "outer"];
  expect(names(exporter.path)).toEqual(told);
  relay.event("last");
  await exporter.shutdown();
  await exporter.shutdown();
  expect(names(exporter.path)).toEqual([...told, "last"]);
  expect(relay.listRuntimeRegistrations().map(({ name }) => name)).toEqual(["guard"]);
  expect(thrownBy(() => exporter.register(relay, "again"))).toBe("relay.exporter_closed");
});

test("many events in one go are all there, in order; a second exporter appends or overwrites", async () => {
  using place = directory();
  const file = { outputDirectory: place.path, filename: "e.jsonl" };
  const round = async (mode: "append" | "overwrite") => {
    const relay = createRelay();
    await using exporter = new AtofExporter({ ...file, mode });
    exporter.register(relay, "file");
    for (let n = 0; n < 1_000; n++) relay.event(`${n}`);
    await exporter.forceFlush();
    return names(exporter.path);
  };
  const all = Array.from({ length: 1_000 }, (_, n) => `${n}`);
  expect(await round("append")).toEqual(all);
  expect(await round("append")).toEqual([...all, ...all]);
  expect(await round("overwrite")).toEqual(all);
});

test("batches of any size and script are written whole: none has bytes of the one before", async () => {
  using place = directory();
  const relay = createRelay();
  await using exporter = new AtofExporter({ outputDirectory: place.path, filename: "e.jsonl" });
  exporter.register(relay, "file");
  const told = ["x".repeat(3_000_000), "längst €𝄞 ".repeat(2_000), "kurz", "漢字"];
  for (const name of told) {
    relay.event(name);
    await exporter.forceFlush();
  }
  expect(names(exporter.path)).toEqual(told);
});

test("a file that can't be written loses its lines, says so on flush, and works again later", async () => {
  using place = directory();
  const blocked = join(place.path, "blocked");
  writeFileSync(blocked, "");
  const relay = createRelay();
  const exporter = new AtofExporter({ outputDirectory: blocked, filename: "e.jsonl" });
  exporter.register(relay, "file");
  relay.event("lost");
  expect(await codeOf(exporter.forceFlush())).toBe("relay.export_failed");
  expect(exporter.lost).toBe(1);
  rmSync(blocked);
  relay.event("kept");
  await exporter.shutdown();
  expect(names(exporter.path)).toEqual(["kept"]);
});

test("a file that would get too large is put aside, and only so many are kept", async () => {
  using place = directory();
  const relay = createRelay();
  await using exporter = new AtofExporter({
    outputDirectory: place.path,
    filename: "e.jsonl",
    maxBytes: 2_000,
    maxFiles: 2,
  });
  exporter.register(relay, "file");
  for (let n = 0; n < 40; n++) {
    relay.event(`event-${n}`);
    await exporter.forceFlush();
  }
  const files = readdirSync(place.path).sort();
  expect(files).toEqual(["e.1.jsonl", "e.2.jsonl", "e.jsonl"]);
  const kept = ["e.2.jsonl", "e.1.jsonl", "e.jsonl"].flatMap((file) => names(join(place.path, file)));
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, n) => `event-${40 - kept.length + n}`));
  for (const file of files) expect(readFileSync(join(place.path, file)).length).toBeLessThanOrEqual(2_000);
});

const transports = ["http_post", "ndjson", "websocket"] as const;

function streamTo(receiver: Receiver, transport: (typeof transports)[number]): AtofExporterOptions {
  return {
    type: "stream",
    url: receiver.url(transport === "websocket"),
    transport,
    headers: { "x-tenant": "t" },
  };
}

test.each(transports)(
  "%s: all events arrive, in order and in batches, with the headers",
  async (transport) => {
    await using receiver = await Receiver.start();
    const relay = createRelay();
    await using exporter = new AtofExporter(streamTo(receiver, transport));
    exporter.register(relay, "stream", { queueLimit: 2_000 });
    for (let n = 0; n < 1_000; n++) relay.event(`${n}`);
    await exporter.forceFlush();
    await receiver.events(1_000);
    expect(receiver.names).toEqual(Array.from({ length: 1_000 }, (_, n) => `${n}`));
    expect(receiver.headers.every((headers) => headers["x-tenant"] === "t")).toBe(true);
    expect(receiver.headers.length).toBeLessThan(10);
    expect([exporter.path, exporter.lost]).toEqual([null, 0]);
  },
);

test.each(["http_post", "ndjson"] as const)(
  "%s: a collector that is busy is asked again, and nothing is lost or doubled",
  async (transport) => {
    await using receiver = await Receiver.start();
    receiver.answers = [503, 429];
    const relay = createRelay();
    await using exporter = new AtofExporter(streamTo(receiver, transport));
    exporter.register(relay, "stream");
    relay.event("once");
    await exporter.forceFlush();
    expect(receiver.names).toEqual(["once"]);
    expect(receiver.headers.length).toBe(3);
  },
);

test("a collector that refuses isn't asked again; the error names neither password nor query", async () => {
  await using receiver = await Receiver.start();
  receiver.answers = [401, 200];
  const relay = createRelay();
  const url = `${receiver.url(false)}?token=hunter3`;
  const exporter = new AtofExporter({ type: "stream", url, headers: { authorization: "hunter2" } });
  exporter.register(relay, "stream");
  relay.event("refused");
  const error: unknown = await exporter.forceFlush().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "export_failed", cause: { code: "export_refused" } });
  expect(`${error} ${JSON.stringify(error)} ${JSON.stringify(Object(error).cause)}`).not.toMatch(/hunter/);
  expect(exporter.lost).toBe(1);
  relay.event("taken");
  await exporter.shutdown();
  expect(receiver.names).toEqual(["taken"]);
});

test("a collector that stalls holds up nobody: what waits is bounded, and the rest is dropped and counted", async () => {
  await using receiver = await Receiver.start();
  receiver.stalled = true;
  const relay = createRelay();
  const exporter = new AtofExporter(streamTo(receiver, "http_post"));
  exporter.register(relay, "stream", { queueLimit: 10 });
  const payload = "x".repeat(20_000);
  for (let n = 0; n < 2_000; n++) {
    relay.event(`${n}`, { data: payload });
    if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const [status] = relay.subscriberStatus();
  expect(status?.dropped).toBeGreaterThan(1_500);
  receiver.stalled = false;
  await exporter.shutdown();
  expect(receiver.names.length).toBe(2_000 - (status?.dropped ?? 0));
});

test("dots in names are replaced where a collector can't take them", async () => {
  await using receiver = await Receiver.start();
  const relay = createRelay();
  const stream = { ...streamTo(receiver, "ndjson"), fieldNamePolicy: "replace_dots" } as const;
  await using exporter = new AtofExporter(stream);
  exporter.register(relay, "stream");
  relay.event("m", { data: { "a.b": [{ "c.d": 1 }] }, severity: "warn" });
  await exporter.forceFlush();
  expect(receiver.received).toMatchObject([
    { data: { a_b: [{ c_d: 1 }] }, metadata: { nemo_relay_log_severity: "warn" } },
  ]);
});

test("options that can't be are refused by name", () => {
  const wrong: readonly (readonly [AtofExporterOptions, string])[] = [
    [{ maxBytes: 0 }, "maxBytes must be above 0"],
    [{ maxFiles: -1 }, "maxFiles must be 0 or more"],
    [{ type: "stream", url: "nowhere" }, "url must be an absolute address"],
    [{ type: "stream", url: "http://u:p@host" }, "url must be without credentials"],
    [{ type: "stream", url: "http://x", headerEnv: { a: "TROUPE_TEST_UNSET" } }, "TROUPE_TEST_UNSET"],
  ];
  for (const [options, message] of wrong) expect(() => new AtofExporter(options)).toThrow(message);
});
