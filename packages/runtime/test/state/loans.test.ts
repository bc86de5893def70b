/** What was assigned into the state is the state's, also where a program goes on writing to the object that it holds. */
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { Latch, watch } from "../driver/watch.ts";
import { TreeStory } from "./tree.ts";

interface Job {
  status: string;
  tags?: string[];
}

const shared = { status: "shared", tags: [] as string[] };
let gate = new Latch();
let kept: Job | undefined;
let shown: Job | undefined;

const list = actor({
  state: { groups: {} as Record<string, number[]>, jobs: [] as Job[], other: undefined as Job | undefined },
  onWake: (c) => {
    if (c.state.jobs.length === 0) return;
    // biome-ignore lint/suspicious/noAssignInExpressions: the idiom is the story
    (c.state.groups["woken"] ??= []).push(1);
  },
  actions: {
    group: (c, name: string, n: number) => {
      // biome-ignore lint/suspicious/noAssignInExpressions: the idiom is the story
      (c.state.groups[name] ??= []).push(n);
      return c.state.groups;
    },
    /** Writes to what it holds before, while and after it waits. */
    work: async (c) => {
      const job: Job = { status: "new" };
      c.state.jobs.push(job);
      job.status = "begun";
      c.broadcast("begun");
      await gate.promise;
      job.status = "done";
      job.tags = ["a"];
      c.state.jobs[0]?.tags?.push("b");
      job.tags.push("c");
    },
    first: (c) => {
      shown = c.state.jobs[0];
      return shown?.status;
    },
    nameShown: () => {
      if (shown !== undefined) shown.status = "by a proxy of before";
    },
    keep: (c) => {
      kept = { status: "kept" };
      c.state.other = kept;
    },
    writeKept: () => {
      if (kept !== undefined) kept.status = "written by another call";
    },
    share: (c) => {
      c.state.other = shared;
      c.state.other.tags?.push("mine");
    },
    both: (c) => {
      const job: Job = { status: "one" };
      c.state.jobs.push(job);
      c.state.other = job;
      job.status = "two";
    },
    sorted: (c) => {
      const jobs: Job[] = [{ status: "b" }, { status: "a" }];
      c.state.jobs.unshift(...jobs);
      c.state.jobs.sort((x, y) => x.status.localeCompare(y.status));
      for (const job of jobs) job.tags = [job.status];
      c.state.jobs.shift();
    },
    frozen: (c) => {
      c.state.other = Object.freeze({ status: "frozen" });
      c.state.other.status = "thawed";
    },
    nonsense: (c) => {
      const job: Job & { run?: unknown } = { status: "fine" };
      c.state.other = job;
      job.run = () => undefined;
    },
    circle: async (c) => {
      const job: Job & { self?: unknown } = { status: "fine" };
      c.state.jobs.push({ status: "another" }, job);
      c.state.jobs.reverse();
      job.self = job;
    },
    /** Holds what can't be stored while others store theirs. */
    nonsenseForLong: async (c) => {
      const job: Job & { run?: unknown } = { status: "fine" };
      c.state.jobs.push(job);
      c.state.other = job;
      c.state.jobs.push({ status: "untouched" });
      job.run = () => undefined;
      await gate.promise;
      job.status = "of nobody";
    },
    all: (c) => c.state,
    sleep: (c) => c.sleep(),
  },
});

async function start() {
  gate = new Latch();
  const driver = await Driver.start({ list });
  const act = async (name: string, ...args: unknown[]) => await driver.act("list", name, ...args);
  /** The state, as a next life finds it. */
  const stored = async () => {
    await act("sleep");
    await driver.world.idle();
    return (await act("all")).output;
  };
  return { driver, act, stored };
}

test("what an expression assigned and wrote to is there, at once and in the next life", async () => {
  const { driver, act, stored } = await start();
  await using _driver = driver;
  expect((await act("group", "a", 1)).output).toEqual({ a: [1] });
  expect((await act("group", "a", 2)).output).toEqual({ a: [1, 2] });
  expect(await stored()).toMatchObject({ groups: { a: [1, 2] } });
});

test("while its action goes on an object is the state's; what is seen of it meanwhile, and after it, is one thing", async () => {
  const { driver, act, stored } = await start();
  await using _driver = driver;
  const working = watch(act("work"));
  await driver.world.idle();
  expect((await act("first")).output).toBe("begun");
  gate.open();
  await driver.world.idle();
  expect(working.state).toBe("resolved");
  expect((await act("all")).output).toMatchObject({ jobs: [{ status: "done", tags: ["a", "b", "c"] }] });
  await act("nameShown");
  const expected = { jobs: [{ status: "by a proxy of before", tags: ["a", "b", "c"] }] };
  expect((await act("all")).output).toMatchObject(expected);
  expect(await stored()).toMatchObject({ ...expected, groups: { woken: [1] } });
});

test("behind its call nobody writes past the state, and nothing outside is written", async () => {
  const { driver, act, stored } = await start();
  await using _driver = driver;
  await act("keep");
  await act("writeKept");
  expect(await stored()).toMatchObject({ other: { status: "kept" } });
  await act("share");
  expect(shared.tags).toEqual(["mine"]);
  await driver.act("list?key=other", "share");
  expect((await act("all")).output).toMatchObject({ other: { tags: ["mine"] } });
  expect((await driver.act("list?key=other", "all")).output).toMatchObject({
    other: { tags: ["mine", "mine"] },
  });
});

test("an object that is assigned to two places is two, the second a copy", async () => {
  const { driver, act, stored } = await start();
  await using _driver = driver;
  await act("both");
  expect(await stored()).toMatchObject({ jobs: [{ status: "two" }], other: { status: "one" } });
});

test("what moved since is found; what can't be lent is copied", async () => {
  const { driver, act, stored } = await start();
  await using _driver = driver;
  await act("sorted");
  await act("frozen");
  expect(await stored()).toMatchObject({ jobs: [{ status: "b", tags: ["b"] }], other: { status: "thawed" } });
});

test("a property is looked at again only as long as something in it is lent", () => {
  const story = new TreeStory<{ jobs: Job[]; other: number }>({ jobs: [], other: 0 });
  story.nextCall();
  const job: Job = { status: "new" };
  story.state.jobs.push(job);
  expect([story.tree.suspicious, story.commit()]).toEqual([true, ["jobs"]]);
  expect(story.commit()).toEqual([]);
  job.status = "done";
  expect([story.tree.changedUnseen(), story.commit()]).toEqual([true, ["jobs"]]);
  job.status = "over";
  const { writes } = story;
  story.nextCall();
  expect([story.tree.suspicious, story.writes, story.commit()]).toEqual([false, writes + 1, ["jobs"]]);
  job.status = "not mine";
  expect([story.commit(), story.reloaded()]).toEqual([[], { jobs: [{ status: "over" }], other: 0 }]);
});

test("what can't be stored is the call's error; what was assigned stays", async () => {
  const { driver, act, stored } = await start();
  await using _driver = driver;
  expect(await act("nonsense")).toMatchObject({ code: "value.unsupported_type" });
  expect(await act("circle")).toMatchObject({ code: expect.stringMatching(/^value\./) });
  expect(await stored()).toMatchObject({
    jobs: [{ status: "fine" }, { status: "another" }],
    other: { status: "fine" },
  });
});

test("what can't be stored fails the call that wrote it, and no other one's writes in the meantime", async () => {
  const { driver, act, stored } = await start();
  await using _driver = driver;
  const working = watch(act("nonsenseForLong"));
  await driver.world.idle();
  expect((await act("group", "a", 1)).output).toEqual({ a: [1] });
  expect((await act("first")).output).toBe("fine");
  await act("nameShown");
  gate.open();
  await driver.world.idle();
  expect(working.value).toMatchObject({ code: "value.unsupported_type" });
  expect(await stored()).toMatchObject({
    groups: { a: [1], woken: [1] },
    jobs: [{ status: "by a proxy of before" }, { status: "untouched" }],
    other: { status: "fine" },
  });
});
