/** What docs/state.md shows does what the page says. */
import { actor } from "troupe";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { actorOfPage } from "./snippet.ts";

test("docs/state.md: older state is migrated, a photo of megabytes is kept, and the unused one is gone", async () => {
  const profile = actorOfPage("state.md", "profile", { actor });
  const before = actor({ state: { name: "ann lee" }, actions: { show: (c) => c.state.name } });
  await using driver = await Driver.start<Record<string, typeof profile>>({ profile: before });
  await driver.act("profile", "show");
  await driver.restart({ profile });
  const client = driver.client();
  const handle = client.getOrCreate("profile", []);
  await handle.action({ name: "setPhoto", args: [new Uint8Array(30_000)] });
  expect(await handle.action({ name: "show" })).toEqual({ given: "ann", family: "lee", bytes: 30_000 });
  driver.world.setWallClock(driver.world.clock.now() + 91 * 86_400_000);
  await driver.restart();
  await driver.world.pass(60_000);
  expect(driver.disk.alarms()).toEqual([]);
  expect((await driver.http("POST", "/actor/profile/action/show?method=get", { args: [] })).code).toBe(
    "actor.not_found",
  );
});
