/** What every `ActorStorage` driver must do. Call it in a test file: it registers stories with vitest. */
import { TroupeError } from "@troupe/base";
import { expect, test } from "vitest";
import type { ActorRecord, Directory } from "../../packages/runtime/src/ports/directory.ts";
import type { ActorStorage, CommitOutcome } from "../../packages/runtime/src/ports/storage.ts";
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
