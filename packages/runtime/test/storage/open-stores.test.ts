/** Generations of one actor's store: what a newer one may see, and when. */
import { expect, test } from "vitest";
import type { CommitOutcome, RowChange } from "../../src/ports/storage.ts";
import type { CommitFile } from "../../src/storage/commit-file.ts";
import { GroupCommitter } from "../../src/storage/group-committer.ts";
import { OpenStores, type SlotStore } from "../../src/storage/open-stores.ts";
import { rowMapReader } from "../../src/storage/row-map.ts";
import { macrotask, testEnv } from "./test-env.ts";

type Target = "actor";

/** A file whose syncs end when the story says so. */
class HeldFile implements CommitFile<Target> {
  readonly rows = new Map<string, Uint8Array>();
  readonly syncs: (() => void)[] = [];

  write(writes: Parameters<CommitFile<Target>["write"]>[0]): void {
    for (const { batch } of writes) {
      for (const { key, value } of batch.rows) this.rows.set(key, value ?? new Uint8Array());
    }
  }

  sync(done: () => void): void {
    this.syncs.push(done);
  }
}

function opened() {
  const file = new HeldFile();
  const committer = new GroupCommitter<Target>({ env: testEnv(), file, onBroken: () => {} });
  const stores = new OpenStores<Target>(
    committer,
    rowMapReader(() => file.rows),
  );
  const open = (generation: number) => stores.open({ actorId: "a", generation, target: "actor" });
  return { file, open };
}

function put(store: SlotStore<Target>, key: string): Promise<CommitOutcome> {
  const rows: RowChange[] = [{ key, value: new Uint8Array(1) }];
  return new Promise((settled) => store.commit({ take: () => ({ rows }), settled }));
}

test("a third generation reads when what the first gave away is settled, though the second never wrote", async () => {
  const { file, open } = opened();
  const outcome = put(open(1), "x");
  await macrotask();
  const second = open(2).load();
  second.catch(() => {});
  const loaded: string[] = [];
  const third = open(3)
    .load()
    .then((rows) => loaded.push(...rows.map(({ key }) => key)));
  await macrotask();
  expect([file.syncs.length, loaded]).toEqual([1, []]);
  file.syncs[0]?.();
  await third;
  expect([await outcome, loaded]).toEqual([{ durable: true }, ["x"]]);
  await expect(second).rejects.toMatchObject({ code: "fenced" });
});

test("a generation that was opened and closed meanwhile hides nothing of the one before it", async () => {
  const { file, open } = opened();
  void put(open(1), "x");
  await macrotask();
  const second = open(2);
  const closed = second.close();
  await macrotask();
  let loaded = false;
  const third = open(3)
    .load()
    .then(() => {
      loaded = true;
    });
  await macrotask();
  expect(loaded).toBe(false);
  file.syncs[0]?.();
  await Promise.all([closed, third]);
});
