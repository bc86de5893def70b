/** What docs/events.md shows does what the page says. */
import { actor, event } from "troupe";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { actorOfPage } from "./snippet.ts";

test("docs/events.md: who was away gets the messages; only the admin may listen to audit", async () => {
  const room = actorOfPage("events.md", "room", { actor, event });
  await using driver = await Driver.start({ room });
  const heard: unknown[] = [];
  const errors: string[] = [];
  const connection = driver.client().getOrCreate("room", [], { params: "ann" }).connect();
  connection.on("message", (message) => heard.push(message));
  connection.on("cursor", (...at) => heard.push(at));
  connection.on("audit", () => heard.push("audit"));
  connection.onError(({ group, code }) => errors.push(`${group}.${code}`));
  await driver.world.idle();
  await driver.act("room", "post", "bob", "one");
  await driver.act("room", "move", 1, 2);
  const { host } = driver.runtime;
  await host.sleep((await driver.local().getOrCreate("room", []).resolve()) ?? "");
  await driver.act("room", "post", "bob", "two");
  await driver.world.pass(30_000);
  expect(heard).toEqual([{ from: "bob", text: "one" }, [1, 2], { from: "bob", text: "two" }]);
  expect(errors[0]).toBe("auth.forbidden");
});
