/** Events in a file. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AtofExporter, createRelay } from "@troupe/relay/node";
import { expect, test } from "vitest";
import { codeOf, thrownBy } from "./driver/driver.ts";

function directory() {
  const path = mkdtempSync(join(tmpdir(), "troupe-relay-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function names(path: string): string[] {
  const lines = readFileSync(path, "utf8").split("\n");
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
