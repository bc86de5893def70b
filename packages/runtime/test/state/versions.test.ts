/** Versions of the state: newer programs make older state theirs, older ones leave newer state alone. */
import { UserError } from "@troupe/base";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";

const steps: string[] = [];

const first = actor({
  state: { name: "ann lee" },
  actions: {
    set: (c, name: string) => {
      c.state.name = name;
    },
    state: (c) => c.state,
    plan: (c) => c.schedule.after(1_000, "state"),
    nap: (c) => c.sleep(),
  },
});

const second = actor({
  stateVersion: 2,
  migrateState: async (old: { name: string }, from) => {
    steps.push(`migrate from ${from}`);
    await Promise.resolve();
    if (old.name === "bad") throw new UserError("no such name", { code: "bad_name" });
    const [given = "", family = ""] = old.name.split(" ");
    return { given, family };
  },
  onMigrate: (c, isNew) => void steps.push(isNew ? "new" : `onMigrate ${c.state.given}`),
  createState: () => ({ given: "new", family: "" }),
  actions: { state: (c) => c.state, nap: (c) => c.sleep() },
});

type Any = typeof first;
const as = (definition: unknown): Any => definition as Any;

test("a newer program: its migration runs once, before anything else, and is stored whole", async () => {
  steps.length = 0;
  await using driver = await Driver.start({ person: first });
  await driver.act("person", "set", "bob ray");
  await driver.restart({ person: as(second) });
  expect((await driver.act("person", "state")).output).toEqual({ given: "bob", family: "ray" });
  await driver.crash();
  expect((await driver.act("person", "state")).output).toEqual({ given: "bob", family: "ray" });
  expect(steps).toEqual(["migrate from 0", "onMigrate bob", "onMigrate bob"]);
});

test("a new actor has the program's version: nothing to migrate", async () => {
  steps.length = 0;
  await using driver = await Driver.start({ person: as(second) });
  await driver.act("person", "state");
  await driver.restart();
  expect((await driver.act("person", "state")).output).toEqual({ given: "new", family: "" });
  expect(steps.filter((step) => step.startsWith("migrate"))).toEqual([]);
});

test("an older program that meets newer state refuses, and nothing is lost", async () => {
  await using driver = await Driver.start({ person: first });
  await driver.act("person", "plan");
  await driver.restart({ person: as(second) });
  await driver.act("person", "state");
  await driver.restart({ person: first });
  const refused = await driver.act("person", "state");
  expect(refused).toMatchObject({ status: 409, code: "actor.state_newer", error: { retryable: false } });
  // Its alarm is due, and it can't wake for it: it is kept.
  await driver.world.pass(60_000);
  expect(driver.disk.alarms()).toHaveLength(1);
  await driver.restart({ person: as(second) });
  expect((await driver.act("person", "state")).output).toEqual({ given: "ann", family: "lee" });
});

test("a migration that fails keeps the actor from starting, and leaves its state as it was", async () => {
  await using driver = await Driver.start({ person: first });
  await driver.act("person", "set", "bad");
  await driver.restart({ person: as(second) });
  expect((await driver.act("person", "state")).code).toBe("user.bad_name");
  await driver.restart({ person: first });
  expect((await driver.act("person", "state")).output).toEqual({ name: "bad" });
});

test("one that returns no state fails as well", async () => {
  const wrong = actor({
    state: { n: 0 },
    stateVersion: 1,
    // @ts-expect-error what is written in JavaScript isn't checked
    migrateState: () => "nothing",
    actions: { state: (c) => c.state },
  });
  await using driver = await Driver.start({ person: first });
  await driver.act("person", "set", "kept");
  await driver.restart({ person: as(wrong) });
  expect((await driver.act("person", "state")).code).toBe("state.not_an_object");
  await driver.restart({ person: first });
  expect((await driver.act("person", "state")).output).toEqual({ name: "kept" });
});

test("a newer version without a migration is refused by name", async () => {
  const careless = actor({ state: { n: 0 }, stateVersion: 1, actions: { state: (c) => c.state } });
  await using driver = await Driver.start({ person: first });
  await driver.act("person", "set", "kept");
  await driver.restart({ person: as(careless) });
  expect((await driver.act("person", "state")).code).toBe("actor.no_migration");
  for (const stateVersion of [-1, 1.5, "2"]) {
    const config = { stateVersion: stateVersion as number, actions: {} };
    expect(() => actor(config)).toThrow(expect.objectContaining({ code: "invalid_option" }));
  }
});
