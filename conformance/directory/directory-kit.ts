/** What every `Directory` driver must do. Call it in a test file: it registers stories with vitest. */
import { TroupeError } from "@troupe/base";
import { expect, test } from "vitest";
import type { ActorAddress, ActorRecord, Directory } from "../../packages/runtime/src/ports/directory.ts";

/** A driver, ready to be asked. Disposed of at the end of each story. */
export interface DirectoryUnderTest extends AsyncDisposable {
  readonly directory: Directory;
}

function address(key: readonly string[], more: Partial<ActorAddress> = {}): ActorAddress {
  return { namespace: "default", name: "counter", key, ...more };
}

async function createDurably(directory: Directory, at: ActorAddress): Promise<ActorRecord> {
  const created = await directory.create(at);
  await created.durable;
  return created.record;
}

/** `group.code` of what a promise rejects with. */
async function codeOf(promise: Promise<unknown>): Promise<string> {
  const outcome = await promise.then(
    () => "nothing",
    (error: unknown) => error,
  );
  return TroupeError.is(outcome) ? `${outcome.group}.${outcome.code}` : String(outcome);
}

/** Registers the kit's stories for one driver. */
export function directoryKit(driver: string, open: () => Promise<DirectoryUnderTest>): void {
  const story = (title: string, run: (directory: Directory) => Promise<void>) =>
    test(`${driver} directory: ${title}`, async () => {
      await using subject = await open();
      await run(subject.directory);
    });
  creationStories(story);
  claimStories(story);
  destructionStories(story);
  listStories(story);
}

type Story = (title: string, run: (directory: Directory) => Promise<void>) => void;

function creationStories(story: Story): void {
  story("an actor is found by address and by id", async (directory) => {
    const at = address(["room", "1"]);
    expect(await directory.find(at)).toBeUndefined();
    const record = await createDurably(directory, at);
    expect(record).toMatchObject(at);
    expect(await directory.find(at)).toEqual(record);
    expect(await directory.get(record.id)).toEqual(record);
  });

  story("an actor is found, or made where there is none", async (directory) => {
    const at = address(["either"]);
    const made = await directory.getOrCreate(at);
    expect(made.isNew).toBe(true);
    if (made.isNew) await made.durable;
    expect(await directory.get(made.record.id)).toMatchObject(at);
    expect(await directory.getOrCreate(at)).toEqual({ record: made.record, isNew: false });
    await directory.destroy(made.record.id, (await directory.claim(made.record.id)).generation);
    const again = await directory.getOrCreate(at);
    expect(again.isNew).toBe(true);
    expect(again.record.id).not.toBe(made.record.id);
  });

  story("many who want an actor that isn't there get the same one", async (directory) => {
    const at = address(["shared"]);
    const all = await Promise.all(Array.from({ length: 8 }, () => directory.getOrCreate(at)));
    expect(all.filter((each) => each.isNew)).toHaveLength(1);
    expect(new Set(all.map((each) => each.record.id)).size).toBe(1);
    expect(await codeOf(directory.create(at))).toBe("actor.duplicate_key");
  });

  story("an address is taken at once, by one of many", async (directory) => {
    const tries = Array.from({ length: 8 }, () => directory.create(address(["one"])));
    const settled = await Promise.allSettled(tries);
    expect(settled.filter((each) => each.status === "fulfilled")).toHaveLength(1);
    expect(await codeOf(directory.create(address(["one"])))).toBe("actor.duplicate_key");
  });

  story("whoever asks while it is being created gets the same actor", async (directory) => {
    const created = await directory.create(address(["early"]));
    expect(await directory.find(address(["early"]))).toEqual(created.record);
    expect(await directory.get(created.record.id)).toEqual(created.record);
  });

  story("keys, names and namespaces that look alike are different addresses", async (directory) => {
    const alike: ActorAddress[] = [
      address([]),
      address([""]),
      address(["", ""]),
      address(["a", "b"]),
      address(["a,b"]),
      address(['a","b']),
      address(["a\u0000b"]),
      address(["\ud800"]),
      address(["\ufffd"]),
      address(["😀"]),
      address(["a", "b"], { name: "counter2" }),
      address(["a", "b"], { namespace: "other" }),
    ];
    const records: ActorRecord[] = [];
    for (const at of alike) records.push(await createDurably(directory, at));
    expect(new Set(records.map((record) => record.id)).size).toBe(alike.length);
    for (const [index, at] of alike.entries()) expect(await directory.find(at)).toEqual(records[index]);
  });

  story("any string is a fair id", async (directory) => {
    for (const id of [
      "",
      "x",
      "ff".repeat(16),
      "00".repeat(16),
      "'; DROP TABLE actors",
      "\u0000",
      "a".repeat(9_999),
    ]) {
      expect(await directory.get(id)).toBeUndefined();
      expect(await codeOf(directory.claim(id))).toBe("actor.not_found");
    }
  });
}

function claimStories(story: Story): void {
  story("generations grow, and only the newest is renewed", async (directory) => {
    const { id } = await createDurably(directory, address(["c"]));
    const first = await directory.claim(id);
    expect((await directory.renew(id, first.generation)).generation).toBe(first.generation);
    await directory.release(id, first.generation);
    const second = await directory.claim(id);
    expect(second.generation).toBeGreaterThan(first.generation);
    expect(await codeOf(directory.renew(id, first.generation))).toBe("storage.fenced");
    await directory.release(id, first.generation);
    expect((await directory.renew(id, second.generation)).generation).toBe(second.generation);
  });

  story("an actor can be claimed before its creation is durable", async (directory) => {
    const { record } = await directory.create(address(["fresh"]));
    expect((await directory.claim(record.id)).generation).toBeGreaterThan(0);
  });
}

function destructionStories(story: Story): void {
  story("a destroyed actor is unknown and its address free for another", async (directory) => {
    const at = address(["d"]);
    const first = await createDurably(directory, at);
    const claim = await directory.claim(first.id);
    await directory.destroy(first.id, claim.generation);
    expect(await directory.get(first.id)).toBeUndefined();
    expect(await directory.find(at)).toBeUndefined();
    expect(await codeOf(directory.claim(first.id))).toBe("actor.not_found");
    const second = await createDurably(directory, at);
    expect(second.id).not.toBe(first.id);
    await directory.destroy(first.id, claim.generation);
    expect(await directory.find(at)).toEqual(second);
  });

  story("an older generation can't destroy", async (directory) => {
    const { id } = await createDurably(directory, address(["d2"]));
    const older = await directory.claim(id);
    await directory.claim(id);
    expect(await codeOf(directory.destroy(id, older.generation))).toBe("storage.fenced");
    expect(await directory.get(id)).toBeDefined();
  });
}

function listStories(story: Story): void {
  story("pages hold every living actor of a namespace once", async (directory) => {
    const ids = new Set<string>();
    for (let index = 0; index < 25; index += 1) {
      const name = index % 2 === 0 ? "even" : "odd";
      ids.add((await createDurably(directory, address([`k${index}`], { name }))).id);
    }
    await createDurably(directory, address(["elsewhere"], { namespace: "other" }));
    const gone = await createDurably(directory, address(["gone"]));
    await directory.destroy(gone.id, (await directory.claim(gone.id)).generation);
    for (const limit of [1, 7, 25, 1_000]) {
      const listed = await listAll(directory, { limit });
      expect(listed).toHaveLength(25);
      expect(new Set(listed.map((record) => record.id))).toEqual(ids);
    }
    const odd = await listAll(directory, { limit: 5, name: "odd" });
    expect(odd.map((record) => record.name)).toEqual(Array.from({ length: 12 }, () => "odd"));
  });
}

async function listAll(
  directory: Directory,
  query: { readonly limit: number; readonly name?: string },
): Promise<ActorRecord[]> {
  const listed: ActorRecord[] = [];
  for (let after: string | undefined; ; ) {
    const page = await directory.list({
      namespace: "default",
      ...query,
      ...(after === undefined ? {} : { after }),
    });
    expect(page.actors.length).toBeLessThanOrEqual(query.limit);
    listed.push(...page.actors);
    if (page.next === undefined) return listed;
    after = page.next;
  }
}
