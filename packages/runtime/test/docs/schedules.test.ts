/** What docs/schedules.md shows does what the page says. */
import { actor, UserError } from "troupe";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { actorOfPage } from "./snippet.ts";

test("docs/schedules.md: reminders, tries, jobs and their history", async () => {
  const planner = actorOfPage("schedules.md", "planner", { actor, UserError });
  await using driver = await Driver.start({ planner });
  driver.world.setWallClock(Date.parse("2024-03-01T07:00:00Z"));
  await driver.act("planner", "remind", "tea", 1_000);
  expect((await driver.act("planner", "insist", "coffee")).output).toBe("insist");
  await driver.world.pass(3_600_000);
  expect((await driver.act("planner", "runs")).output).toMatchObject([
    { action: "report", scheduledAt: Date.parse("2024-03-01T08:00:00Z"), result: "ok" },
  ]);
  expect((await driver.act("planner", "failed")).output).toEqual([]);
  expect((await driver.act("planner", "again", "insist")).output).toBe(false);
});
