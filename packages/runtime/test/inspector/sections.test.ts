/** What of an actor is offered to people: the parts that its definition has. */
import { actor, queue, workflow } from "@troupe/runtime";
import { expect, test } from "vitest";
import { carried } from "../driver/carried.ts";
import { inspected, look } from "./ground.ts";

test("an actor is shown with the sections that it has; one whose code is elsewhere may have all", async () => {
  const use = {
    counter: actor({ state: { count: 0 }, actions: {} }),
    mailbox: actor({ queues: { letters: queue<string>() }, actions: {} }),
    flow: actor({ run: workflow(async () => {}), actions: {} }),
    greeter: actor({ actions: { hello: () => "hello" } }),
  };
  await using driver = await inspected({ ...use, elsewhere: carried(use).greeter });
  const sectionsOf = async (name: string) => {
    const { actorId = "" } = await driver.http("POST", `/actor/${name}/resolve?key=a`, {});
    return (await look(driver, `/actors/${actorId}`)).body.sections;
  };
  expect(await sectionsOf("counter")).toEqual(["state", "kv", "schedules"]);
  expect(await sectionsOf("mailbox")).toEqual(["kv", "schedules", "queues", "dead-letters"]);
  expect(await sectionsOf("flow")).toEqual(["kv", "schedules", "workflows", "workflow-history"]);
  expect(await sectionsOf("greeter")).toEqual(["kv", "schedules"]);
  const all = ["state", "kv", "schedules", "queues", "dead-letters", "workflows", "workflow-history"];
  expect(await sectionsOf("elsewhere")).toEqual(all);
});
