/** The committer over a file whose writes and syncs the test decides. `log` tells who heard what, in order. */
import { expect, test, vi } from "vitest";
import { storageErrors } from "../../src/errors.ts";
import type { Batch, BatchSource, CommitOutcome } from "../../src/ports/storage.ts";
import { type CommitFile, RoundFailed, type Write } from "../../src/storage/commit-file.ts";
import { CommitSlot } from "../../src/storage/commit-slot.ts";
import { GroupCommitter } from "../../src/storage/group-committer.ts";

class FakeFile implements CommitFile<string> {
  readonly groups: string[][] = [];
  /** Writers whose batches fail any transaction that they are in. */
  readonly poisoned = new Set<string>();
  #done: ((error?: unknown) => void) | undefined;

  write(writes: readonly Write<string>[]): void {
    const group = writes.map(
      ({ target, batch }) => `${target}:${batch.rows.map((row) => row.key).join("+")}`,
    );
    if (writes.some(({ target }) => this.poisoned.has(target))) throw new Error("constraint");
    this.groups.push(group);
  }

  sync(done: (error?: unknown) => void): void {
    expect(this.#done, "one sync at a time").toBeUndefined();
    this.#done = done;
  }

  get syncing(): boolean {
    return this.#done !== undefined;
  }

  finishSync(error?: unknown): void {
    const done = this.#done;
    if (done === undefined) throw new Error("no sync runs");
    this.#done = undefined;
    done(error);
  }
}

/** One actor: says that it has batches, and logs what became of them. */
class FakeActor implements BatchSource {
  readonly name: string;
  readonly slot: CommitSlot<string>;
  readonly #world: World;
  readonly #batches: (Batch | Error)[] = [];
  readonly #taken: string[] = [];
  /** Called at the end of each `settled`. */
  afterSettled: () => void = () => {};
  /** What is on its way to it. */
  coming: Promise<void> | undefined;

  constructor(name: string, world: World) {
    this.name = name;
    this.#world = world;
    this.slot = new CommitSlot(name);
  }

  /** Commits rows of these names: each its own batch; "" is an empty one, an Error one that can't be taken. */
  commit(...batches: (string | Error)[]): void {
    for (const batch of batches) {
      if (batch instanceof Error) this.#batches.push(batch);
      else this.#batches.push({ rows: batch === "" ? [] : [{ key: batch, value: new Uint8Array(1) }] });
    }
    this.#world.committer.commit(this.slot, this);
  }

  take(): Batch {
    const batch = this.#batches.shift();
    if (batch === undefined) throw new Error("took a batch that isn't there");
    this.#taken.push(batch instanceof Error ? "error" : (batch.rows[0]?.key ?? "empty"));
    if (batch instanceof Error) throw batch;
    return batch;
  }

  settled(outcome: CommitOutcome): void {
    const batch = this.#taken.shift();
    this.#world.log.push(`${this.name}:${batch} ${outcome.durable ? "durable" : outcome.applied}`);
    if (this.#batches.length > 0) this.#world.committer.commit(this.slot, this);
    this.afterSettled();
  }

  soon(): Promise<void> | undefined {
    return this.coming;
  }
}

class World {
  readonly file = new FakeFile();
  readonly log: string[] = [];
  readonly broken: unknown[] = [];
  readonly #tasks: (() => void)[] = [];
  readonly committer = new GroupCommitter({
    env: { afterTurn: (task) => this.#tasks.push(task) },
    file: this.file,
    onBroken: (cause) => {
      this.log.push("broken");
      this.broken.push(cause);
    },
  });

  actor(name: string): FakeActor {
    return new FakeActor(name, this);
  }

  /** Ends the turn: all macrotasks run, those that they queue too. */
  endTurn(): void {
    for (let task = this.#tasks.shift(); task !== undefined; task = this.#tasks.shift()) task();
  }

  heard(): string[] {
    return this.log.splice(0);
  }
}

test("all that is ready goes in one transaction and is told when it is synced", () => {
  const world = new World();
  const [a, b] = [world.actor("a"), world.actor("b")];
  a.commit("1");
  a.commit();
  b.commit("1");
  expect(world.file.groups).toEqual([]);
  world.endTurn();
  expect(world.file.groups).toEqual([["a:1", "b:1"]]);
  expect(world.heard()).toEqual([]);
  world.file.finishSync();
  expect(world.heard()).toEqual(["a:1 durable", "b:1 durable"]);
});

test("what becomes ready during a sync, and while its round is told, goes together with the next round", () => {
  const world = new World();
  const [a, b] = [world.actor("a"), world.actor("b")];
  a.commit("1");
  world.endTurn();
  b.commit("1");
  world.endTurn();
  expect(world.file.groups).toEqual([["a:1"]]);
  const c = world.actor("c");
  a.afterSettled = () => c.commit("1");
  world.file.finishSync();
  expect(world.heard()).toEqual(["a:1 durable"]);
  expect(world.file.groups).toEqual([["a:1"]]);
  world.endTurn();
  expect(world.file.groups).toEqual([["a:1"], ["b:1", "c:1"]]);
  world.file.finishSync();
  expect(world.heard()).toEqual(["b:1 durable", "c:1 durable"]);
});

test("a batch that can't be taken fails alone, after the batches before it", () => {
  const world = new World();
  const [a, b] = [world.actor("a"), world.actor("b")];
  a.commit("1", new Error("too large"));
  world.endTurn();
  a.commit();
  b.commit("1");
  world.file.finishSync();
  world.endTurn();
  expect(world.heard()).toEqual(["a:1 durable", "a:error no"]);
  world.file.finishSync();
  expect(world.heard()).toEqual(["b:1 durable"]);
});

test("a round that turns out empty is told after the finished one", () => {
  const world = new World();
  const a = world.actor("a");
  a.commit("1", "");
  world.endTurn();
  a.commit();
  world.file.finishSync();
  world.endTurn();
  expect(world.heard()).toEqual(["a:1 durable", "a:empty durable"]);
  expect(world.file.syncing).toBe(false);
  a.commit("2");
  world.endTurn();
  world.file.finishSync();
  expect(world.heard()).toEqual(["a:2 durable"]);
});

test("two poisoned batches in a group fail alone; their neighbours don't notice", () => {
  const world = new World();
  const actors = ["a", "b", "c", "d"].map((name) => world.actor(name));
  world.file.poisoned.add("b").add("d");
  for (const actor of actors) actor.commit("1");
  world.endTurn();
  expect(world.file.groups).toEqual([["a:1"], ["c:1"]]);
  expect(world.heard()).toEqual(["b:1 no", "d:1 no"]);
  world.file.finishSync();
  expect(world.heard()).toEqual(["a:1 durable", "c:1 durable"]);
});

test("a write that fails in the next round is told after the finished round", () => {
  const world = new World();
  const a = world.actor("a");
  a.commit("1", "2");
  world.endTurn();
  a.commit();
  world.file.poisoned.add("a");
  world.file.finishSync();
  world.endTurn();
  expect(world.heard()).toEqual(["a:1 durable", "a:2 no"]);
  expect(world.file.syncing).toBe(false);
});

test("a refused slot's batch is taken and not written", () => {
  const world = new World();
  const [a, b] = [world.actor("a"), world.actor("b")];
  a.commit("1");
  b.commit("1");
  b.slot.refusal = storageErrors.fenced("b");
  world.endTurn();
  expect(world.file.groups).toEqual([["a:1"]]);
  expect(world.heard()).toEqual(["b:1 no"]);
});

test("a failed sync breaks everything, once, and for good", async () => {
  const world = new World();
  const [a, b, c] = [world.actor("a"), world.actor("b"), world.actor("c")];
  a.commit("1", "2");
  b.commit("1");
  world.endTurn();
  a.commit();
  c.commit("1");
  const eio = new Error("EIO");
  world.file.finishSync(eio);
  // a:2 and c:1 were said before the disk failed, and surely never reached it.
  expect(world.heard()).toEqual(["a:1 unknown", "b:1 unknown", "a:2 no", "c:1 no", "broken"]);
  expect(world.broken).toEqual([eio]);
  b.commit("2");
  c.commit("2");
  expect(world.heard()).toEqual([]);
  world.endTurn();
  expect(world.heard()).toEqual(["b:2 no", "c:2 no"]);
  expect(world.file.groups).toEqual([["a:1", "b:1"]]);
  expect(world.file.syncing).toBe(false);
  await world.committer.drain();
});

test("a round that is lost with the process that has the file fails alone, and says what is known of it", () => {
  const world = new World();
  const [a, b] = [world.actor("a"), world.actor("b")];
  a.commit("1", "2");
  world.endTurn();
  b.commit("1");
  world.file.finishSync(new RoundFailed("unknown", new Error("its process is gone")));
  expect(world.heard()).toEqual(["a:1 unknown"]);
  world.endTurn();
  world.file.finishSync(new RoundFailed("no", new Error("its process is gone")));
  expect(world.heard()).toEqual(["b:1 no", "a:2 no"]);
  a.commit("3");
  world.endTurn();
  world.file.finishSync();
  expect(world.heard()).toEqual(["a:3 durable"]);
  expect(world.committer.broken).toBe(false);
});

test("a source may commit from inside settled, in every kind of round", () => {
  const world = new World();
  const a = world.actor("a");
  a.commit("1", "", new Error("x"), "2");
  for (let round = 0; round < 6; round += 1) {
    world.endTurn();
    if (world.file.syncing) world.file.finishSync();
  }
  expect(world.heard()).toEqual(["a:1 durable", "a:empty durable", "a:error no", "a:2 durable"]);
});

test("an error thrown by one source reaches the process, and its neighbours hear", () => {
  const world = new World();
  const [a, b] = [world.actor("a"), world.actor("b")];
  a.afterSettled = () => {
    throw new Error("a bug");
  };
  a.commit("1");
  b.commit("1");
  world.endTurn();
  world.file.finishSync();
  expect(world.heard()).toEqual(["a:1 durable", "b:1 durable"]);
  expect(() => world.endTurn()).toThrow("a bug");
});

test("drain and a slot's settled wait for what is ready and what is on its way", async () => {
  const world = new World();
  const [a, b] = [world.actor("a"), world.actor("b")];
  const done: string[] = [];
  await world.committer.drain();
  await a.slot.settled();
  a.commit("1");
  const drained = world.committer.drain().then(() => done.push("drained"));
  const settled = a.slot.settled().then(() => done.push("a settled"));
  world.endTurn();
  b.commit("1");
  world.file.finishSync();
  await settled;
  expect(done).toEqual(["a settled"]);
  world.endTurn();
  world.file.finishSync();
  await drained;
  expect(done).toEqual(["a settled", "drained"]);
});

test("an operation is written although its batch is empty", () => {
  const world = new World();
  const settled: CommitOutcome[] = [];
  world.committer.commit(new CommitSlot("create", "operation"), {
    take: () => ({ rows: [] }),
    settled: (outcome) => void settled.push(outcome),
  });
  world.endTurn();
  expect(world.file.groups).toEqual([["create:"]]);
  world.file.finishSync();
  expect(settled).toEqual([{ durable: true }]);
});

test("who waits behind a round waits for what comes of it in a moment, once, and all of it is one round", async () => {
  const world = new World();
  const [a, b, c] = [world.actor("a"), world.actor("b"), world.actor("c")];
  const coming = Promise.withResolvers<void>();
  a.commit("1");
  b.commit("1");
  world.endTurn();
  c.commit("1");
  // The code of a and b is asked again by whom they answered, and answers from another thread.
  a.coming = coming.promise;
  b.coming = coming.promise;
  world.file.finishSync();
  world.endTurn();
  expect(world.file.groups).toEqual([["a:1", "b:1"]]);
  const drained = world.committer.drain();
  a.commit("2");
  b.commit("2");
  coming.resolve();
  await vi.waitFor(() => {
    world.endTurn();
    expect(world.file.groups).toEqual([
      ["a:1", "b:1"],
      ["c:1", "a:2", "b:2"],
    ]);
  });
  world.file.finishSync();
  await drained;
});

test("a round with nothing behind it waits for nobody", () => {
  const world = new World();
  const a = world.actor("a");
  a.coming = new Promise(() => {});
  a.commit("1");
  world.endTurn();
  world.file.finishSync();
  a.commit("2");
  world.endTurn();
  expect(world.file.groups).toEqual([["a:1"], ["a:2"]]);
});

test("a slot that is held: rounds go without it, and the next one after that has it", () => {
  const world = new World();
  const [a, b] = [world.actor("a"), world.actor("b")];
  a.slot.holds = 2;
  a.commit("1");
  b.commit("1");
  world.endTurn();
  expect(world.file.groups).toEqual([["b:1"]]);
  a.slot.holds = 1;
  world.committer.resume(a.slot);
  world.file.finishSync();
  world.endTurn();
  expect([world.file.groups.length, a.slot.busy, world.heard()]).toEqual([1, true, ["b:1 durable"]]);
  a.slot.holds = 0;
  world.committer.resume(a.slot);
  world.committer.resume(a.slot);
  world.endTurn();
  expect(world.file.groups).toEqual([["b:1"], ["a:1"]]);
  world.file.finishSync();
  expect(world.heard()).toEqual(["a:1 durable"]);
});

test("a slot that is held and let go in one turn is taken with that turn", () => {
  const world = new World();
  const a = world.actor("a");
  a.commit("1");
  a.slot.holds = 1;
  a.slot.holds = 0;
  world.committer.resume(a.slot);
  world.endTurn();
  expect(world.file.groups).toEqual([["a:1"]]);
});

test("a slot that is held fails when it is refused, and keeps nobody waiting", () => {
  const world = new World();
  const a = world.actor("a");
  a.slot.holds = 1;
  a.commit("1");
  world.endTurn();
  a.slot.refusal = storageErrors.fenced("a");
  world.committer.resume(a.slot);
  world.endTurn();
  expect([world.file.groups, world.heard(), a.slot.busy]).toEqual([[], ["a:1 no"], false]);
});
