/** What every `ActorStorage` driver must do. Call it in a test file: it registers stories with vitest. */
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import type { ActorRecord, Directory } from "../../packages/runtime/src/ports/directory.ts";
import {
  type ActorStorage,
  type ActorStore,
  type CommitOutcome,
  KV_END,
  KV_PREFIX,
  type RowRange,
} from "../../packages/runtime/src/ports/storage.ts";
import { modelStory } from "./storage-model.ts";
import { loadText, Writer } from "./writer.ts";

/** A driver with its directory. After `restart` or `crash` the fields are those of the new process. */
export interface StorageUnderTest extends AsyncDisposable {
  readonly directory: Directory;
  readonly storage: ActorStorage;
  /** Closes, and opens again on the same data. */
  restart(): Promise<void>;
  /** The process dies without closing; opens again. Absent where a driver can't be killed in place. */
  crash?(): Promise<void>;
}

type Story = (title: string, run: (subject: StorageUnderTest) => Promise<void>) => void;

export interface StorageKitOptions {
  /** Random sequences against the model; each has a few restarts. Default: 40. */
  readonly sequences?: number;
}

/** Registers the kit's stories for one driver. */
export function storageKit(
  driver: string,
  open: () => Promise<StorageUnderTest>,
  options: StorageKitOptions = {},
): void {
  const story: Story = (title, run) =>
    test(`${driver} storage: ${title}`, async () => {
      await using subject = await open();
      await run(subject);
    });
  rowStories(story);
  keyValueStories(story);
  fenceStories(story);
  alarmStories(story);
  story("does what a plain map does, over random commits, reopenings, restarts and crashes", (subject) =>
    modelStory(subject, options.sequences ?? 40),
  );
}

async function create(subject: StorageUnderTest, key: string): Promise<ActorRecord> {
  const created = await subject.directory.create({ namespace: "default", name: "actor", key: [key] });
  await created.durable;
  return created.record;
}

async function wake(subject: StorageUnderTest, record: ActorRecord): Promise<Writer> {
  const { generation } = await subject.directory.claim(record.id);
  return new Writer(await subject.storage.open(record, generation));
}

function codeOf(outcome: CommitOutcome): string {
  return outcome.durable ? "durable" : `${outcome.applied}: ${outcome.error.group}.${outcome.error.code}`;
}

function rowStories(story: Story): void {
  story("rows are put, replaced and deleted, and survive a restart", async (subject) => {
    const record = await create(subject, "a");
    const first = await wake(subject, record);
    expect(await loadText(first.store)).toEqual({});
    expect(await first.put({ x: "1", y: "2" })).toEqual({ durable: true });
    expect(await first.put({ x: "3", y: null, never: null })).toEqual({ durable: true });
    await first.store.close();
    const second = await wake(subject, record);
    expect(await loadText(second.store)).toEqual({ x: "3" });
    await second.store.close();
    await subject.restart();
    expect(await loadText((await wake(subject, record)).store)).toEqual({ x: "3" });
  });

  story("a new actor's first batch may be said before its creation is durable", async (subject) => {
    const { record, durable } = await subject.directory.create({
      namespace: "default",
      name: "actor",
      key: ["n"],
    });
    const writer = await wake(subject, record);
    expect(await loadText(writer.store)).toEqual({});
    const outcome = await writer.put({ x: "1" });
    await durable;
    expect(codeOf(outcome)).toBe("durable");
    await subject.restart();
    expect(await loadText((await wake(subject, record)).store)).toEqual({ x: "1" });
  });

  story("empty values, odd keys and large values come back as they were", async (subject) => {
    const record = await create(subject, "odd");
    const writer = await wake(subject, record);
    const rows = { "": "", "\u0000": "nul", "ключ/😀": "é", "state:count": "x".repeat(300_000) };
    expect(await writer.put(rows)).toEqual({ durable: true });
    await subject.restart();
    expect(await loadText((await wake(subject, record)).store)).toEqual(rows);
  });

  story("many actors' batches are settled in order and kept apart", async (subject) => {
    const records = await Promise.all(Array.from({ length: 40 }, (_, index) => create(subject, `m${index}`)));
    const writers = await Promise.all(records.map((record) => wake(subject, record)));
    const rounds = Array.from({ length: 5 }, (_, round) =>
      Promise.all(writers.map((writer, index) => writer.put({ round: `${round}`, own: `${index}` }))),
    );
    for (const outcomes of await Promise.all(rounds))
      expect(new Set(outcomes.map(codeOf))).toEqual(new Set(["durable"]));
    await subject.restart();
    for (const [index, record] of records.entries()) {
      expect(await loadText((await wake(subject, record)).store)).toEqual({ round: "4", own: `${index}` });
    }
  });

  story("an empty batch is settled too, and a batch that can't be taken fails alone", async (subject) => {
    const [a, b] = await Promise.all([create(subject, "e1"), create(subject, "e2")]);
    const [good, bad] = await Promise.all([wake(subject, a), wake(subject, b)]);
    expect(await good.put({})).toEqual({ durable: true });
    const outcome = new Promise<CommitOutcome>((settled) => {
      const take = () => {
        throw new Error("no batch after all");
      };
      bad.store.commit({ take, settled });
    });
    expect(await good.put({ fine: "1" })).toEqual({ durable: true });
    expect(codeOf(await outcome)).toBe("no: storage.commit_failed");
    expect(await bad.put({ later: "1" })).toEqual({ durable: true });
  });

  story("nothing of a destroyed actor comes back", async (subject) => {
    const record = await create(subject, "d");
    const writer = await wake(subject, record);
    await writer.put(Object.fromEntries(Array.from({ length: 700 }, (_, index) => [`row${index}`, "x"])), 5);
    await writer.store.close();
    const { generation } = await subject.directory.claim(record.id);
    await subject.directory.destroy(record.id, generation);
    expect(await subject.storage.nextAlarm()).toBeUndefined();
    const again = await create(subject, "d");
    expect(await loadText((await wake(subject, again)).store)).toEqual({});
    await subject.restart();
    expect(await subject.directory.get(record.id)).toBeUndefined();
    expect(await loadText((await wake(subject, again)).store)).toEqual({});
  });
}

const bytes = new TextEncoder();
const everything = { start: KV_PREFIX, end: KV_END, limit: 1_000, reverse: false };

async function keysOf(store: ActorStore, range: Partial<RowRange> = {}): Promise<string[]> {
  return (await store.list({ ...everything, ...range })).map((row) => row.key);
}

function keyValueStories(story: Story): void {
  story("rows of the key-value store are read and listed, and no wake loads them", async (subject) => {
    const record = await create(subject, "kv");
    const writer = await wake(subject, record);
    await writer.put({ "~k:a": "1", "~k:b": "2", x: "3", k: "4", "~": "5", "\x7f": "6", "}": "7" });
    await writer.put({ "~k:b": null, "~k:c": "" });
    const values = [bytes.encode("1"), undefined, bytes.encode("")];
    expect(await writer.store.read(["~k:a", "~k:b", "~k:c"])).toEqual(values);
    expect(await keysOf(writer.store)).toEqual(["~k:a", "~k:c"]);
    await subject.restart();
    const { store } = await wake(subject, record);
    expect(await loadText(store)).toEqual({ x: "3", k: "4", "\x7f": "6", "}": "7" });
    expect(await store.read(["~k:c", "~k:a", "~k:never"])).toEqual([
      bytes.encode(""),
      bytes.encode("1"),
      undefined,
    ]);
    expect(await store.read([])).toEqual([]);
  });

  story("ranges of rows keep the order of their characters, from both ends", async (subject) => {
    const writer = await wake(subject, await create(subject, "order"));
    const keys = [
      "~k:",
      "~k:\0",
      "~k:\0\0",
      "~k:a",
      "~k:a\0",
      "~k:a\u007f",
      "~k:a\u0080",
      "~k:a\u00ff",
      "~k:b",
      "~k:\u00ff",
    ];
    await writer.put(Object.fromEntries(keys.toReversed().map((key) => [key, key])));
    expect(await keysOf(writer.store)).toEqual(keys);
    expect(await keysOf(writer.store, { reverse: true })).toEqual(keys.toReversed());
    expect(await keysOf(writer.store, { start: "~k:a", end: "~k:b", limit: 2 })).toEqual(["~k:a", "~k:a\0"]);
    expect(await keysOf(writer.store, { start: "~k:a", end: "~k:b", limit: 2, reverse: true })).toEqual([
      "~k:a\u00ff",
      "~k:a\u0080",
    ]);
    expect(await keysOf(writer.store, { start: "~k:b", end: "~k:a" })).toEqual([]);
  });

  story("what was taken is read before it is durable, and a closed store reads nothing", async (subject) => {
    const writer = await wake(subject, await create(subject, "soon"));
    await writer.store.load();
    const taken = Promise.withResolvers<void>();
    const settled = Promise.withResolvers<CommitOutcome>();
    writer.store.commit({
      take: () => {
        // In a macrotask of its own, right behind the one that takes and writes.
        setImmediate(taken.resolve);
        return { rows: [{ key: "~k:a", value: bytes.encode("1") }] };
      },
      settled: settled.resolve,
    });
    await taken.promise;
    expect(await writer.store.read(["~k:a"])).toEqual([bytes.encode("1")]);
    expect(codeOf(await settled.promise)).toBe("durable");
    await writer.store.close();
    const refused = await (async () => writer.store.read(["~k:a"]))().catch((error: unknown) => error);
    expect(TroupeError.is(refused) && refused.code).toBe("closed");
  });

  story("a list that doesn't fit into memory is refused", async (subject) => {
    const writer = await wake(subject, await create(subject, "large"));
    const value = "x".repeat(limits.kvListBytes / 8);
    await writer.put(
      Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`${KV_PREFIX}${index}`, value])),
    );
    expect(await keysOf(writer.store)).toHaveLength(8);
    await writer.put({ "~k:8": "x" });
    const refused = await keysOf(writer.store).catch((error: unknown) => error);
    expect(TroupeError.is(refused) && `${refused.group}.${refused.code}`).toBe("storage.list_too_large");
    expect(await keysOf(writer.store, { limit: 8 })).toHaveLength(8);
  });
}

function fenceStories(story: Story): void {
  story("a newer activation fences the older one", async (subject) => {
    const record = await create(subject, "f");
    const older = await wake(subject, record);
    expect(await older.put({ by: "older" })).toEqual({ durable: true });
    const newer = await wake(subject, record);
    expect(codeOf(await older.put({ by: "zombie" }))).toBe("no: storage.fenced");
    expect(await loadText(newer.store)).toEqual({ by: "older" });
    expect(await newer.put({ by: "newer" })).toEqual({ durable: true });
    await older.store.close();
    expect(await newer.put({ still: "newer" })).toEqual({ durable: true });
  });

  story("what an older one gave away is settled before the newer one reads", async (subject) => {
    const record = await create(subject, "g");
    const older = await wake(subject, record);
    const outcome = older.put({ by: "older" });
    const newer = await wake(subject, record);
    const rows = await loadText(newer.store);
    expect(older.outcomes).toHaveLength(1);
    expect(rows).toEqual((await outcome).durable ? { by: "older" } : {});
  });

  story("an older generation can't open beside a newer one", async (subject) => {
    const record = await create(subject, "h");
    const { generation } = await subject.directory.claim(record.id);
    await wake(subject, record);
    const refused = await subject.storage.open(record, generation).catch((error: unknown) => error);
    expect(TroupeError.is(refused) && refused.code).toBe("fenced");
  });

  story("a closed store refuses, and settles what it gave away", async (subject) => {
    const record = await create(subject, "i");
    const writer = await wake(subject, record);
    await writer.put({ x: "1" });
    await writer.store.close();
    expect(codeOf(await writer.put({ x: "2" }))).toBe("no: storage.closed");
    expect(await loadText((await wake(subject, record)).store)).toEqual({ x: "1" });
  });
}

function alarmStories(story: Story): void {
  story("alarms are listed earliest first, until they are moved or removed", async (subject) => {
    const records = await Promise.all(["a", "b", "c"].map((key) => create(subject, key)));
    const writers = await Promise.all(records.map((record) => wake(subject, record)));
    const [a, b, c] = records.map((record) => record.id);
    await Promise.all(writers.map((writer, index) => writer.put({}, [300, 100, 200][index])));
    expect(await subject.storage.nextAlarm()).toEqual({ actorId: b, at: 100 });
    expect(await subject.storage.dueAlarms(250, 10)).toEqual([
      { actorId: b, at: 100 },
      { actorId: c, at: 200 },
    ]);
    expect(await subject.storage.dueAlarms(1_000, 1)).toEqual([{ actorId: b, at: 100 }]);
    await writers[1]?.put({}, null);
    await writers[2]?.put({ x: "an alarm stays when a batch doesn't name it" });
    await writers[0]?.put({}, 150);
    await subject.restart();
    expect(await subject.storage.dueAlarms(1_000, 10)).toEqual([
      { actorId: a, at: 150 },
      { actorId: c, at: 200 },
    ]);
  });
}
